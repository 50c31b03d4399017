"""The relay's data folder as one file, and back."""
