"""What `doll voice serve` runs: an engine that imitates a voice, behind a small HTTP server.

It is a process of its own, with torch and gigabytes of weights, so that the relay stays small.
"""
