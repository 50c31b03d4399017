"""How much of what was said was understood: error rates of characters (Korean) and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relay.tts.korean.jamo import is_hangul, take_apart
from relay.tts.korean.normalise import normalise
from relay.tts.korean.pronounce import pronounce
from tools.bench.english_words import words

#: Vowels that most speakers of today say alike (ㅙ, ㅚ and ㅞ too).
MERGED = {"ㅔ": "ㅐ", "ㅖ": "ㅒ", "ㅚ": "ㅙ", "ㅞ": "ㅙ"}


@dataclass(slots=True)
class Errors:
    """Adds up over sentences. The rate is wrong signs over all signs of what was said.

    With `as_pronounced`, Korean is compared as it sounds: 했대 and 했데 are no error then. What is
    left is what was misheard, not what was misspelled.
    """

    language: str
    as_pronounced: bool = False
    wrong: int = 0
    signs: int = 0

    def add(self, said: str, heard: str) -> None:
        """Korean by characters without spaces and marks, other languages by words."""
        truth = self._signs(said)
        self.wrong += distance(self._signs(heard), truth)
        self.signs += len(truth)

    def merge(self, other: Errors) -> None:
        """Add what another one counted."""
        self.wrong += other.wrong
        self.signs += other.signs

    def _signs(self, text: str) -> list[str]:
        if self.language != "ko":
            return words(text)
        return sounds(text) if self.as_pronounced else characters(text)

    @property
    def rate(self) -> float:
        return self.wrong / max(1, self.signs)


def characters(text: str) -> list[str]:
    """The syllables; a number or an abbreviation counts as the words it is read as.

    Spaces do not count, since Koreans set many of them as they like: KsponSpeech normalises them
    for that reason (its sWER), and transcribes numbers both ways (Bang et al. 2020, Applied
    Sciences 10(19) 6936, sections 2.2 and 3.2).
    """
    return [sign for sign in normalise(text) if sign.isalnum()]


def sounds(text: str) -> list[str]:
    """The syllables as they are pronounced; ㅐ and ㅔ are one vowel in today's speech."""
    return [_merged(sign) for sign in pronounce(normalise(text)) if sign.isalnum()]


def _merged(sign: str) -> str:
    if not is_hangul(sign):
        return sign
    syllable = take_apart(sign)[0]
    syllable.nucleus = MERGED.get(syllable.nucleus, syllable.nucleus)
    return str(syllable)


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's: signs to change, put in or take out."""
    row = list(range(len(other) + 1))
    for number, sign in enumerate(one, start=1):
        above, row = row, [number]
        for place, against in enumerate(other):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (sign != against)))
    return row[-1]
