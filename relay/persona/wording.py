"""How a character words the fixed lines."""

from __future__ import annotations

from relay import locales
from relay.persona.base import Persona


def wordings(persona: Persona, key: str, language: str) -> tuple[str, ...]:
    """The variants of a line: the persona's own, or else the shipped ones.

    Raises KeyError for a key that no locale file has.
    """
    return persona.lines.get(language, {}).get(key) or locales.variants(language, key)
