"""The HTTP server that can also hang and break off, for fake providers."""

from __future__ import annotations

from tools.fake_gemini.http import Handler, Journal, Pause, Reply, Request, Step, serving

__all__ = ["Handler", "Journal", "Pause", "Reply", "Request", "Step", "serving"]
