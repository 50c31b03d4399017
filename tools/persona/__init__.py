"""`doll persona`: who the dolls are, and how they learn to speak."""
