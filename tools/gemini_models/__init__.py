"""`doll models`: which of Google's models the key can use, and how much."""
