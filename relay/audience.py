"""Whom a doll talks with, and what may therefore not be behind it."""

from __future__ import annotations

from typing import Literal

Audience = Literal["adult", "child"]

#: The additional terms of the Gemini API, https://ai.google.dev/gemini-api/terms (2026-03-23).
GEMINI_TERMS = (
    "Google's terms forbid the Gemini API in a service that is directed towards, or likely to be "
    "accessed by, people under 18 (and on the free tier people may read what was said)"
)


def allowed(provider: str, audience: Audience) -> bool:
    """Whether a provider (a name such as `gemini`, `gemini-legacy`, `local`) may be used."""
    return audience == "adult" or not provider.startswith("gemini")
