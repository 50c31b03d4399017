"""Text as the matcher sees it: without what speech recognition gets wrong most often."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator

_KOREAN_SIZES = (3, 4)  # in jamo: a syllable is two or three
_LATIN_SIZES = (3, 4, 5)
_EDGE = "\x02"

# A recogniser writes what's or what is as it likes; a possessive taken for one does no harm.
_CONTRACTIONS = {
    "can't": "cannot",
    "won't": "will not",
    "let's": "let us",
    "n't": " not",
    "'m": " am",
    "'re": " are",
    "'s": " is",
    "'ll": " will",
    "'ve": " have",
    "'d": " would",
}


def normalise(text: str) -> str:
    """Composed, in lower case, words apart by one space, contractions written out, no punctuation
    but `+` (for C++)."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    for short, full in _CONTRACTIONS.items():
        text = text.replace(short, full)
    kept = (char if char.isalnum() or char == "+" else " " for char in text)
    return " ".join("".join(kept).split())


def has_hangul(text: str) -> bool:
    """Whether there is any Korean in it."""
    return any("가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" for char in text)


def has_latin_word(text: str) -> bool:
    """Whether there is a word of two Latin letters or more."""
    return any(word.isascii() and len(word) > 1 and word.isalpha() for word in text.split())


def grams(text: str) -> Iterator[str]:
    """The short pieces (n-grams) of a normalised text, Korean by jamo.

    A wrong consonant or a syllable too many changes only a few of them. Korean spaces are left out,
    since neither people nor recognisers agree on them; English ones are kept as edges of words.
    """
    korean = has_hangul(text)
    if korean:
        text = text.replace(" ", "")
    letters = unicodedata.normalize("NFD", text).replace(" ", _EDGE)
    letters = f"{_EDGE}{letters}{_EDGE}"
    for size in _KOREAN_SIZES if korean else _LATIN_SIZES:
        for at in range(len(letters) - size + 1):
            yield letters[at : at + size]


def without_fillers(text: str, fillers: Collection[str]) -> str:
    """Drop words of a normalised text that carry no meaning of their own, if any are left."""
    words = text.split()
    return " ".join([word for word in words if word not in fillers] or words)
