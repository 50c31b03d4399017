"""How often somebody who may not write is told so. Sans-I/O: the time comes in."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

#: One stranger is told once in so long, however much they write.
AGAIN_S: Final = 24 * 3600.0

#: All of them together get so many lines in an hour: a bot's name can be found and flooded.
PER_HOUR: Final = 20

#: Codes that are looked at: each is a write to the database.
PER_MINUTE: Final = 10

_MINUTE_S, _HOUR_S = 60.0, 3600.0
_REMEMBERED = 1_000


class Strangers:
    """One for the bot. Belongs to its event loop."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, float] = OrderedDict()
        self._lines: deque[float] = deque(maxlen=PER_HOUR)
        self._tries: deque[float] = deque(maxlen=PER_MINUTE)

    def may_try(self, now: float) -> bool:
        """Whether the code that one of them shows is looked at; if so, it counts."""
        if len(self._tries) == PER_MINUTE and now - self._tries[0] < _MINUTE_S:
            return False
        self._tries.append(now)
        return True

    def may_tell(self, chat: int, now: float) -> bool:
        """Whether this one gets a line now; if so, it counts as told. `now` is in seconds of a
        clock that does not go back."""
        told = self._told.get(chat)
        if told is not None and now - told < AGAIN_S:
            return False
        if len(self._lines) == PER_HOUR and now - self._lines[0] < _HOUR_S:
            return False
        self._lines.append(now)
        self._told[chat] = now
        self._told.move_to_end(chat)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True
