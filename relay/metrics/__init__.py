"""What the relay counts, for its owner to look at."""
