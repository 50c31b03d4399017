"""The doll in a Telegram chat, for the one who is away from it."""
