"""Tells a measured style in words, for a prompt."""

from __future__ import annotations

from relay.persona.learning.style import Style
from relay.persona.prompt import words_in

#: Characters of a usual message up to which somebody is short, and from which at length.
_SHORT, _LONG = 12, 45

#: From this share of messages on a habit is worth a line.
_OFTEN = 0.2


def described(style: Style, language: str) -> tuple[str, ...]:
    """A line for each habit, in `language` (ISO 639-1)."""
    words: dict[str, str] = words_in(language)["style"]
    length = "short" if style.chars <= _SHORT else "long" if style.chars >= _LONG else "medium"
    told = [words[length].format(chars=_rounded(style.chars))]
    if style.register:
        told.append(words[style.register])
    lists = ((key, getattr(style, key)) for key in ("endings", "openers", "favourites"))
    told += [words[key].format(list=", ".join(listed)) for key, listed in lists if listed]
    if style.laugh:
        told.append(words["laughs"].format(list=style.laugh))
    if style.cry:
        told.append(words["cries"].format(list=style.cry))
    told += [words[key] for key in ("asks", "drawls", "trails") if getattr(style, key) >= _OFTEN]
    if style.exclaims >= 2 * _OFTEN:
        told.append(words["exclaims"])
    if style.emoji >= _OFTEN:
        told.append(words["emoji"])
    elif not style.laugh and not style.cry and style.exclaims < 0.05 and style.emoji < 0.02:
        told.append(words["plain"])
    return tuple(told)


def _rounded(chars: int) -> int:
    return max(5, 5 * round(chars / 5))
