"""A manner of speech as it was learned: what the prompt is told of it, and what is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relay.persona.base import Exchange
from relay.persona.learning.describe import described
from relay.persona.learning.index import Index
from relay.persona.learning.style import Style

#: Exchanges less like what was said than this are left out: they would only distract.
_LEAST = 0.18


@dataclass(frozen=True, slots=True, eq=False)
class LearnedManner:
    """See `relay.persona.base.Manner`."""

    speaker: str  #: as the chat calls them
    style: Style
    examples: tuple[Exchange, ...]
    exchanges: Sequence[Exchange]  #: all that can be looked up
    index: Index  #: of what was said to them

    def described(self, language: str) -> tuple[str, ...]:
        return described(self.style, language)

    def nearest(self, text: str, most: int = 4) -> tuple[Exchange, ...]:
        found: dict[str, Exchange] = {}  # by the answer, so that none comes twice
        for number, _ in self.index.nearest(text, 3 * most, _LEAST):
            exchange = self.exchanges[number]
            if exchange not in self.examples:
                found.setdefault(exchange.said, exchange)
        return tuple(list(found.values())[:most][::-1])
