"""What the dolls remember, for their owner: `doll memory`."""
