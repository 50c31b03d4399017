"""The files that let a server run the relay by itself."""
