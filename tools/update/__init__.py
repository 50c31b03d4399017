"""`doll update`: new firmware for dolls that are connected to a relay, over the air."""
