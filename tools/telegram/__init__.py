"""`doll telegram`."""
