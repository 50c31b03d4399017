"""A moment to come, as a person says it: in about ten minutes, tomorrow around four."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from relay import locales
from relay.llm.local import clock, numbers_en, numbers_ko

#: Nobody says "around seven past four".
_ROUND_MIN = 5

_MINUTE_S = 60
_IN_MINUTES_S = 55 * _MINUTE_S  #: up to here it is so many minutes, then a time of day


def when(at: float | None, now: datetime, language: str) -> str:
    """When `at` (Unix time; None is not known) is, for the middle of a sentence.

    `now` is aware, in the doll's time zone. Rounded up: better to come late than in vain.
    """
    if at is None:
        return locales.text(language, "when.unknown")
    wait_s = at - now.timestamp()
    if wait_s < _MINUTE_S * 3 / 4:
        return locales.text(language, "when.soon")
    if wait_s <= _MINUTE_S:
        return locales.text(language, "when.minute")
    if wait_s <= _IN_MINUTES_S:
        minutes = math.ceil(wait_s / _MINUTE_S)
        if minutes > 2 * _ROUND_MIN:
            minutes = math.ceil(minutes / _ROUND_MIN) * _ROUND_MIN
        return locales.text(language, "when.minutes").format(minutes=_spelled(minutes, language))
    moment = _rounded_up(datetime.fromtimestamp(at, now.tzinfo))
    days = (moment.date() - now.date()).days
    key = ("today", "tomorrow")[days] if days < 2 else "later"
    return locales.text(language, f"when.{key}").format(
        time=clock.time(moment, language), weekday=clock.weekday(moment, language)
    )


def _rounded_up(moment: datetime) -> datetime:
    past_s = (moment.minute % _ROUND_MIN) * _MINUTE_S + moment.second + moment.microsecond / 1e6
    return moment + timedelta(seconds=(_ROUND_MIN * _MINUTE_S - past_s) if past_s else 0)


def _spelled(number: int, language: str) -> str:
    return numbers_ko.spell(number) if language == "ko" else numbers_en.spell(number)
