"""The relay: hears a doll over a WebSocket, thinks, and speaks back."""

__version__ = "0.1.0"
