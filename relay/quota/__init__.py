"""The free tier as a resource that is planned with, not an error to run into."""
