"""A server that behaves like the free tier of the Gemini Developer API, without a brain.

What goes over the wire, what is refused and in which words follows what was seen of the real one;
where nobody knows (does a refused request count?) there is a switch. `server.py` is the way in.
"""
