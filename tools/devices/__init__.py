"""The dolls of a relay: `doll pair` and `doll devices`."""
