"""`doll admin`: the owner's password."""
