"""`doll certificate`: TLS at home, without a domain."""
