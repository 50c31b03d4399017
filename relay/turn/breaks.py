"""Where a clause without a full stop is best cut, and where it must not be."""

from __future__ import annotations

import re

from relay.turn.stops import STOPS, is_cjk

COMMAS = frozenset(",;、，；")

#: An address is kept whole up to this length.
ADDRESS_CHARS = 400
_ADDRESS_START = re.compile(r"\S*(?:://|www\.)", re.IGNORECASE)

_PAIRS = {"(": ")", "（": "）", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»"}
_PAIRS |= {"「": "」", "『": "』", "《": "》", "〈": "〉", "【": "】"}
_QUOTES = frozenset('"“‘「『«')

_KOREAN_LINK = re.compile(r"[가-힣](?:고|며|면|서|데|만|까|니|도록|려고|거나|든지|자마자)\Z")
_LINK_NEXT = re.compile(
    r"\s*(?:and|but|or|so|because|when|if|which|who|while|then|though|until|그리고|그래서|하지만)\b",
    re.IGNORECASE,
)
_BINDS = re.compile(
    r"(?:\A|\s)(?:an?|the|of|to|in|on|at|for|by|with|from|my|your|his|her|its|our|their|is|are|was|"
    r"be|not|very|이|그|저|안|못|더|한)\Z",
    re.IGNORECASE,
)


def inside(text: str) -> list[bool]:
    """For each place p of `text` (0 … its length): whether p is inside of brackets or a quote.

    A quote that begins with the text holds nothing together: a whole answer may be one.
    """
    open_marks: list[tuple[str, bool]] = []  # what closes it, and whether it protects
    places = [False]
    for i, char in enumerate(text):
        before, behind = text[:i][-1:], text[i + 1 : i + 2]
        closers = [closer for closer, _ in open_marks]
        if char in closers:
            del open_marks[closers.index(char) :]
        elif char in _PAIRS:
            if char != "(" or before not in (":", ";", "-", "="):  # :( is a face
                open_marks.append((_PAIRS[char], char not in _QUOTES or bool(text[:i].strip())))
        elif char == '"':
            # Behind a word it closes nothing that is open: inches, or a quote cut in two.
            if not before or before.isspace() or before in _PAIRS:
                open_marks.append((char, bool(text[:i].strip())))
        elif char == "*":
            lone = "*" not in (before, behind) and not before.isalnum()
            if lone and behind and not behind.isspace():
                open_marks.append((char, True))
        elif char == "`" and not closers:
            open_marks.append((char, True))
        places.append(any(protects for _, protects in open_marks))
    return places


def best_break(text: str, low: int, high: int, *, forced: bool) -> int | None:
    """The best place to cut `text` in `low` … `high`: behind a stop or comma, at a space.

    None if there is none. If `forced`, there is one: CJK text is cut between any two characters,
    and at last anything is. Only an address that begins the text is kept whole: None, or behind it
    from ADDRESS_CHARS on.
    """
    protected = inside(text)
    best: tuple[int, int] | None = None
    for place in range(max(low, 1), min(high, len(text) - 1) + 1):
        if not _may_cut(text, place) or (protected[place] and not forced):
            continue
        score = _score(text, place) - (4 if protected[place] else 0)
        if score > 0 or forced:
            best = max(best or (score, place), (score, place))
    if best is not None:
        return best[1]
    return _forced_break(text, low, high) if forced else None


def _may_cut(text: str, place: int) -> bool:
    before, behind = text[place - 1], text[place]
    return not before.isspace() and (behind.isspace() or before in "、，；。？！")


def _score(text: str, place: int) -> int:
    before = text[max(0, place - 8) : place]
    if before[-1] in STOPS:
        return 4
    if before[-1] in COMMAS or before[-1] in ":：—–":
        return 3
    if _KOREAN_LINK.search(before) or _LINK_NEXT.match(text, place):
        return 2
    return 0 if _BINDS.search(before) else 1


def _forced_break(text: str, low: int, high: int) -> int | None:
    word_start = next((i for i in range(high, 0, -1) if text[i - 1].isspace()), 0)
    if _ADDRESS_START.match(text, word_start):
        if word_start > 0:
            return word_start
        return None if len(text) < ADDRESS_CHARS else len(text)
    for place in range(high, low, -1):
        before, behind = text[place - 1], text[place]
        if (is_cjk(before) or is_cjk(behind)) and behind not in STOPS | COMMAS:
            return place
    return high
