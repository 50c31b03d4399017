"""Pronounced Korean syllables as phonemes that Kokoro knows.

Kokoro was never taught Korean; its alphabet (misaki's, for nine languages) has the sounds all the
same. The choice among the signs that come near was made by what Whisper understood best: ㅓ as the
open o, ㅈ as the English affricate of Kokoro's alphabet with aspiration written out, strong
aspiration at the beginning of a word, tense consonants behind a glottal stop. Plain ㄱ ㄷ ㅂ ㅈ are
voiced between voiced sounds, and ㅅ is palatal before i, as Koreans say them (allophones, not rules
of the standard).
"""

from __future__ import annotations

from collections.abc import Sequence

from relay.tts.korean.jamo import NUCLEI, ONSETS, Syllable

VOWEL_SIGNS = "a ɛ ja jɛ ɔ e jɔ je o wa wɛ we jo u wɔ we wi ju ɯ ɰi i"
VOWELS = dict(zip(NUCLEI, VOWEL_SIGNS.split(), strict=True))

#: In the order of ONSETS; "-" is the ㅇ that has no sound.
ONSET_SIGNS = "k k n t t ɾ m p p s s - ʨ ʨ ʨʰʰ kʰ tʰ pʰ h"
CONSONANTS = dict(zip(ONSETS, ONSET_SIGNS.replace("-", "").split(" "), strict=True))
VOICED = {"ㄱ": "ɡ", "ㄷ": "d", "ㅂ": "b", "ㅈ": "ʥ"}
TENSE = frozenset("ㄲㄸㅃㅆㅉ")
#: Aspirated twice where a word begins, or they are heard as plain ones; ㅊ needs it everywhere.
ASPIRATED = frozenset("ㅋㅌㅍ")
PALATAL_BEFORE = frozenset("ㅣㅟㅑㅕㅛㅠ")
CODA = {"": "", "ㄱ": "k", "ㄴ": "n", "ㄷ": "t", "ㄹ": "l", "ㅁ": "m", "ㅂ": "p", "ㅇ": "ŋ"}
VOICED_CODAS = ("", "ㄴ", "ㄹ", "ㅁ", "ㅇ")


def phonemes(words: Sequence[Sequence[Syllable]]) -> str:
    """The phonemes of one phrase of pronounced `words`, a space between words."""
    return " ".join(
        "".join(
            _syllable(syllable, word[position - 1] if position else None)
            for position, syllable in enumerate(word)
        )
        for word in words
    )


def _syllable(syllable: Syllable, before: Syllable | None) -> str:
    return _onset(syllable, before) + VOWELS[syllable.nucleus] + CODA[syllable.coda]


def _onset(syllable: Syllable, before: Syllable | None) -> str:
    onset = syllable.onset
    if onset in "ㅅㅆ" and syllable.nucleus in PALATAL_BEFORE:
        sound = "ɕ"
    elif onset == "ㄹ" and before is not None and before.coda == "ㄹ":
        sound = "l"
    elif onset in VOICED and before is not None and before.coda in VOICED_CODAS:
        sound = VOICED[onset]
    else:
        sound = CONSONANTS[onset]
    if onset in TENSE and (before is None or not before.coda):
        return "ʔ" + sound
    if onset in ASPIRATED and before is None:
        return sound + "ʰ"
    return sound
