"""What happens just now, for the owner's page to watch."""
