"""Picks a few exchanges that show a manner of speech, each different from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from relay.persona.base import Exchange
from relay.persona.learning.index import likeness, pieces
from relay.persona.learning.style import Style

#: How many are looked at, spread over the whole chat.
_CANDIDATES = 600

#: How much it counts that an exchange shows the manner, against being unlike those picked before.
#: Maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998.
_LAMBDA = 0.6


def select(exchanges: Sequence[Exchange], style: Style, most: int = 8) -> tuple[Exchange, ...]:
    """At most `most` of them, the most telling first."""
    step = max(1, len(exchanges) // _CANDIDATES)
    left = list(exchanges[::-1][::step][:_CANDIDATES])  # newer ones first
    vectors = {exchange: pieces(exchange.said) for exchange in left}
    left = [exchange for exchange, vector in vectors.items() if len(vector)]
    typical = _typical(left, style)
    picked: list[Exchange] = []
    nearest = dict.fromkeys(left, 0.0)
    while left and len(picked) < most:
        best = max(left, key=lambda x: _LAMBDA * typical[x] - (1 - _LAMBDA) * nearest[x])
        picked.append(best)
        left.remove(best)
        for exchange in left:
            like = likeness(vectors[exchange], vectors[best])
            nearest[exchange] = max(nearest[exchange], like)
    return tuple(picked)


def _typical(exchanges: Sequence[Exchange], style: Style) -> dict[Exchange, float]:
    """0 to 1: of usual length, with their endings and words, and more than a mere yes."""
    endings = tuple(ending.lstrip("-") for ending in style.endings)
    told = Counter(exchange.said for exchange in exchanges)
    scores = {}
    for exchange in exchanges:
        said = exchange.said.rstrip(".!?~… ")
        usual = max(12, style.chars)
        length = float(np.exp(-abs(np.log((len(said) + 1) / (1.3 * usual)))))
        words = sum(word in said for word in (*style.favourites, *style.openers))
        scores[exchange] = (
            0.5 * length
            + 0.2 * said.endswith(endings)
            + 0.2 * min(1.0, words / 2)
            + 0.1 * (told[exchange.said] == 1)
            - 0.3 * _is_stutter(said)
        )
    return scores


def _is_stutter(text: str) -> bool:
    """The same word over and over."""
    words = text.split()
    return len(words) > 2 and sum(a == b for a, b in pairwise(words)) > len(words) / 2
