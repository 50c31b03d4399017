"""Voices of the owner's own: recordings, whom they belong to, and the engines that imitate them."""
