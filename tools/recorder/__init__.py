"""The flight recorder, for the owner: `doll recorder`."""
