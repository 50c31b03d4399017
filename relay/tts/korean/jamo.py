"""Hangul syllables, taken apart and put together.

A syllable block of Unicode is 0xAC00 + (onset * 21 + nucleus) * 28 + coda (The Unicode Standard,
section 3.12), with the letters in the orders below.
"""

from __future__ import annotations

from dataclasses import dataclass

ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
NUCLEI = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
CODAS: tuple[str, ...] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")

FIRST, LAST = "가", "힣"

#: The onset of a syllable that begins with its vowel.
NONE = "ㅇ"


@dataclass(slots=True)
class Syllable:
    """One syllable block, as compatibility jamo. `coda` is empty where there is none."""

    onset: str
    nucleus: str
    coda: str

    def __str__(self) -> str:
        number = (ONSETS.index(self.onset) * 21 + NUCLEI.index(self.nucleus)) * 28
        return chr(ord(FIRST) + number + CODAS.index(self.coda))


def is_hangul(character: str) -> bool:
    """Whether `character` is a whole syllable block."""
    return FIRST <= character <= LAST


def take_apart(word: str) -> list[Syllable]:
    """The syllables of `word`, which is all Hangul syllable blocks."""
    syllables = []
    for character in word:
        number = ord(character) - ord(FIRST)
        onset, nucleus, coda = number // 588, number % 588 // 28, number % 28
        syllables.append(Syllable(ONSETS[onset], NUCLEI[nucleus], CODAS[coda]))
    return syllables


def coda_of(word: str) -> str:
    """The coda of the last syllable of `word`; empty where it has none or is not Hangul."""
    if not word or not is_hangul(word[-1]):
        return ""
    return CODAS[(ord(word[-1]) - ord(FIRST)) % 28]
