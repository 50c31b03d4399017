"""`doll open`: the relay's page in a browser of this machine."""
