"""Where a sentence ends, told from the marks and what stands before and after them."""

from __future__ import annotations

import re
from enum import Enum, auto

#: Full stops that also occur inside of numbers, names and addresses, and those that do not.
STOPS = frozenset(".?!…。？！｡")
_FULL_WIDTH = frozenset("。？！｡")

_CLOSING_QUOTES = frozenset("\"'”’»」』")

#: How a sentence goes on behind a quote: "…" 하고, "…" 라고, "…" 이라며; in English in lower case.
_QUOTED_BEFORE = frozenset("하라이")

#: Marks of a softer end. They end a clause only before a space.
SOFT = frozenset("~～ㅋㅎㅠㅜ")

#: What may close behind a stop and still belongs to the sentence.
CLOSERS = frozenset("\"'”’»」』〉》】〕)）]］}*_`")

#: What begins a run of marks, and what goes on with it.
MARKS = STOPS | SOFT
MARKS_AND_CLOSERS = MARKS | CLOSERS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: A full stop behind these ends nothing.
_NEVER_LAST = _words(
    "mr mrs ms dr prof rev gen sgt capt lt col gov sen rep hon st mt ft messrs "
    "e.g eg i.e ie vs cf viz ca approx dept est fig figs resp incl esp"
)
#: Behind these it may end a sentence: it does if the next one begins with a capital.
_MAYBE_LAST = _words(
    "a.m p.m etc inc ltd jr sr co corp bros ph.d m.d b.c a.d al ave blvd "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun"
)
#: Behind these it ends nothing if a number follows: No. 5, p. 12.
_BEFORE_NUMBERS = _words("no nos p pp ch vol art sec pt v")

_ABBREVIATIONS = _NEVER_LAST | _MAYBE_LAST | _BEFORE_NUMBERS

_ENUMERATOR = re.compile(r"(?:\A|\n)\s*(?:[-*•]\s)?[(\[]?(?:\d{1,3}|[a-z]|[A-Z])\Z")
_WHOLE_DATE = re.compile(r"\d{2,4}\.\s?\d{1,2}\.\s?\d{1,2}\Z")
_INITIALS = re.compile(r"(?:[A-Z]\.)*(?!I\Z)[A-Z]\Z")
_ADDRESS = re.compile(r"(?:://|\bwww\.|@)\S*\Z", re.IGNORECASE)
_LAST_WORD = re.compile(r"(?:[^\s(（\[\"“‘'「『*_]|(?<=\w)')*\Z")
_PLAIN_WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*\Z")


class Verdict(Enum):
    """Whether a clause ends behind its marks."""

    END = auto()
    NO = auto()
    WAIT = auto()  #: what follows decides, and is not there yet


def is_cjk(char: str) -> bool:
    """Whether `char` is a Hangul syllable, a kana or a Han character."""
    return (
        "가" <= char <= "힣" or "぀" <= char <= "ヿ" or "㐀" <= char <= "鿿" or "豈" <= char <= "﫿"
    )


def judge(before: str, marks: str, after: str) -> Verdict:
    """Whether the clause `before` + `marks` ends there.

    `marks` is a run of MARKS and CLOSERS, the first of them a mark; `after` is what has arrived
    behind it, white space squeezed to one character.
    """
    if not after:
        return Verdict.WAIT
    spaced = after[0].isspace()
    stops = "".join(mark for mark in marks if mark in STOPS)
    if not stops:
        laughs = before[-1:].isalnum() or len(marks) > 1
        return Verdict.END if spaced and laughs else Verdict.NO
    if not spaced and len(marks) > 1 and marks[-1] in CLOSERS and after[0].isalnum():
        return Verdict.NO  # a particle is glued to what was quoted: "안녕!"이라고
    if marks[-1] in _CLOSING_QUOTES and after[0] == " ":
        if len(after) < 2:
            return Verdict.WAIT
        if after[1] in _QUOTED_BEFORE or after[1].islower():
            return Verdict.NO
    if stops == ".":
        if spaced:
            return _full_stop(before, after[1:])
        # Korean and Chinese writers forget the space; elsewhere this is 3.14, v2.0, example.com.
        forgotten = marks == "." and is_cjk(before[-1:]) and is_cjk(after[0])
        return Verdict.END if forgotten else Verdict.NO
    if spaced:
        return Verdict.END
    if set(stops) <= {".", "…"}:
        return Verdict.NO  # a stutter: 바…바보야, or ...그래
    if _FULL_WIDTH.isdisjoint(stops) and (after[0] == "=" or _ADDRESS.search(before)):
        return Verdict.NO  # a != b, https://a.b/c?d
    return Verdict.END


def _full_stop(before: str, following: str) -> Verdict:
    """Judge a single full stop before a space; `following` is what came behind the space."""
    word = _LAST_WORD.search(before)[0]  # type: ignore[index]
    lower = word.lower()
    if _ENUMERATOR.search(before) or _WHOLE_DATE.search(before) or lower in _NEVER_LAST:
        return Verdict.NO
    if _INITIALS.match(word):
        return Verdict.NO  # J. K. Rowling, the U.S. president: a longer clause does no harm
    if lower in _BEFORE_NUMBERS or word[-1:].isdigit():
        if not following:
            return Verdict.WAIT
        return Verdict.NO if following[0].isdigit() else Verdict.END
    if lower in _MAYBE_LAST:
        if not following:
            return Verdict.WAIT
        return Verdict.END if following[0].isupper() or following[0] in "\"'“‘" else Verdict.NO
    return Verdict.END


def is_certain(before: str, marks: str) -> bool:
    """Whether the clause ends here whatever follows, for a text that stops arriving just here.

    `?`, `!` and full-width stops are certain outside of an address; a full stop behind a Hangul
    syllable (or kana, or Han) of a word of two, since no number, name or address has one there; and
    behind a plain Latin word that is no abbreviation. An ellipsis is certain behind two letters
    (one is a stutter). Only more marks could still follow.
    """
    if not before or any(mark in SOFT for mark in marks):
        return False
    if marks[-1] in "?!。？！｡":
        return _ADDRESS.search(before) is None and not before[-1].isspace()
    word = _LAST_WORD.search(before)[0]  # type: ignore[index]
    cjk = len(word) >= 2 and is_cjk(word[-1])
    if marks == ".":
        plain = len(word) >= 2 and _PLAIN_WORD.match(word) is not None
        return cjk or (plain and word not in _ABBREVIATIONS)
    return cjk and marks in ("…", "...")
