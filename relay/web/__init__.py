"""What the relay offers over HTTP."""
