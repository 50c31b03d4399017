"""What the doll remembers."""
