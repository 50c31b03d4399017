"""The hours in which others sleep: a doll is softer and shorter then, or waits to be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

#: Loudness of the voice in quiet hours, in percent, where the persona does not say.
DEFAULT_VOLUME = 40


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end` by the clock at home (`persona.timezone`), over midnight if need be."""

    start: time
    end: time
    called: bool = False  #: answers only who calls it by its wake name; else everybody, softly
    volume: float = DEFAULT_VOLUME / 100  #: by which the voice's samples are multiplied

    def at(self, now: datetime) -> bool:
        """Whether it is quiet now. `now` is the doll's local time; `end` is not part of it."""
        clock = now.time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def read(table: Any) -> QuietHours:
    """Read the table [quiet] of a persona. Raises ValueError: what is wrong with it."""
    if not isinstance(table, dict) or not {"from", "to"} <= set(table):
        raise ValueError("`quiet` must be a table with `from` and `to`, such as 22:30:00")
    for key in table:
        if key not in ("from", "to", "answers", "volume"):
            raise ValueError(
                f"`quiet.{key}` is not known here; known are answers, from, to, volume"
            )
    start, end = _time("from", table["from"]), _time("to", table["to"])
    if start == end:
        raise ValueError("`quiet.from` and `quiet.to` are the same time")
    answers = table.get("answers", "softly")
    if answers not in ("softly", "called"):
        raise ValueError('`quiet.answers` must be "softly" or "called"')
    volume = table.get("volume", DEFAULT_VOLUME)
    if not isinstance(volume, int) or isinstance(volume, bool) or not 1 <= volume <= 100:
        raise ValueError("`quiet.volume` must be a whole number from 1 to 100, in percent")
    return QuietHours(start, end, answers == "called", volume / 100)


def _time(key: str, value: Any) -> time:
    """TOML's own time of day (22:30:00), or one in quotation marks ("22:30")."""
    if isinstance(value, str):
        try:
            value = time.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, time) or value.tzinfo is not None:
        raise ValueError(f"`quiet.{key}` must be a time of day, such as 22:30:00")
    return value
