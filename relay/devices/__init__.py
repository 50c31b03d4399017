"""The dolls as devices: which firmware they have, and how they get a newer one."""
