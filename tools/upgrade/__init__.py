"""Releases of the relay side by side, and the way from one to the next and back.

Standard library only: the first release is made by the system's Python, from a checkout.
"""
