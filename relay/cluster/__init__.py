"""More than one process, on one machine or several, as one relay: workers and what they share."""
