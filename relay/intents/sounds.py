"""Korean text without the differences that a recogniser hears least."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Lax, tense and aspirated consonants are one (ㄱ ㄲ ㅋ); at the end of a syllable those that sound
#: the same there (Standard Pronunciation, rules 8 and 9: ㅅ ㅆ ㅈ ㅊ ㅌ as ㄷ); and the vowels that
#: most speakers no longer tell apart (ㅐ ㅔ, ㅒ ㅖ, ㅙ ㅚ ㅞ).
_ALIKE: Final = str.maketrans(
    {
        other: row[0]
        for row in (
            "ᄀᄁᄏ", "ᄃᄄᄐ", "ᄇᄈᄑ", "ᄉᄊ", "ᄌᄍᄎ",
            "ᅦᅢ", "ᅨᅤ", "ᅬᅫᅰ",
            "ᆨᆩᆿ", "ᆮᆺᆻᆽᆾᇀ", "ᆸᇁ",
        )
        for other in row[1:]
    }
)  # fmt: skip


def alike(text: str) -> str:
    """`text` with one letter for all that sound alike; what is not Korean stays as it is."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(_ALIKE))
