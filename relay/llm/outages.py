"""Which dolls have told their owners that only the small brain is there. Sans-I/O."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_MAX_DOLLS = 1_000


@dataclass(slots=True)
class _Told:
    at: float
    over: bool = False


class Outages:
    """A doll says it once per outage, and not again within `again_s` where outages come and go.

    Times are seconds on any clock that does not go back.
    """

    def __init__(self, again_s: float) -> None:
        self._again_s = again_s
        self._told: OrderedDict[str, _Told] = OrderedDict()

    def begins(self, doll: str, now: float) -> bool:
        """The small brain answers this doll; whether that is news to its owner."""
        told = self._told.get(doll)
        if told is not None and not (told.over and now - told.at >= self._again_s):
            told.over = False
            return False
        self._told[doll] = _Told(now)
        self._told.move_to_end(doll)
        if len(self._told) > _MAX_DOLLS:
            self._told.popitem(last=False)
        return True

    def ends(self, doll: str) -> None:
        """A model that was chosen has answered this doll."""
        if told := self._told.get(doll):
            told.over = True
