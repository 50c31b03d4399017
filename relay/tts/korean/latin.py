"""Latin letters in a Korean text: words said the Korean way, abbreviations spelled."""

from __future__ import annotations

import re

from relay.tts.korean.numerals import read
from relay.tts.korean.vocabulary import vocabulary

#: A word that may hold digits, an apostrophe, a hyphen or a point, and end in ++ or #.
WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:['’.-][A-Za-z0-9]+)*(?:\+\+|#)?")
PART = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|\d+|\+\+|#")
VOWELS = frozenset("aeiouyAEIOUY")

#: An abbreviation in capitals is no longer than this; a longer one is a word that is shouted.
LONGEST_ABBREVIATION = 4


def read_latin(text: str) -> str:
    """`text` with known words and abbreviations in Hangul; the others are left as they are."""
    return WORD.sub(lambda found: _word(found[0]), text)


def _word(word: str) -> str:
    english = vocabulary().english
    if known := english.get(word.lower()):
        return known
    return " ".join(english.get(part.lower()) or _part(part) for part in PART.findall(word))


def _part(part: str) -> str:
    if part.isdigit():
        return read(part)
    if not part[0].isalpha():
        return "".join(vocabulary().signs[sign] for sign in part)
    shouted = part.isupper() and len(part) <= LONGEST_ABBREVIATION
    if shouted or len(part) == 1 or not VOWELS & set(part):
        return "".join(vocabulary().letters.get(letter, "") for letter in part.lower())
    return part
