"""How often strangers may ask, each address for itself and all together."""

from __future__ import annotations

from collections import OrderedDict

from relay.wire.limits import TokenBucket

#: So many addresses are told apart; of more the one that has been quiet longest is forgotten.
MAX_SOURCES = 1024


class SourceRates:
    """Token buckets, one for each address and one for all. Sans-I/O: the time is given, in s."""

    def __init__(self, per_source: tuple[float, float], together: tuple[float, float]) -> None:
        """Both are (a second, at once)."""
        self._per_source = per_source
        self._together = TokenBucket(*together, now=0.0)
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, source: str, now: float) -> bool:
        """Whether this address may ask now. One that may not takes nothing from the others."""
        bucket = self._buckets.pop(source, None) or TokenBucket(*self._per_source, now=now)
        self._buckets[source] = bucket
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        return bucket.take(1, now) and self._together.take(1, now)
