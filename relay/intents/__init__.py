"""What the doll does by itself, with no request to anybody: volume, stop, repeat, the time."""
