"""How a name sounds, in Hangul or in Latin letters, and how alike two sounds are.

A sound is a string of phones, one letter each: c for 차, 자, 짜, ch, tch and j; vowels and
consonants by their usual letters; ŋ. Capitals are consonants that end a Korean syllable, which a
recogniser seldom makes up or loses.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: Each consonant and vowel has a phone of its own; ㅇ before a vowel is silent, ㅐ and ㅔ are one.
_ONSETS: Final = dict(
    zip("ᄀᄁᄂᄃᄄᄅᄆᄇᄈᄉᄊᄋᄌᄍᄎᄏᄐᄑᄒ", "gqnd†rmb‡s§-jʧcktph", strict=True)
)
_VOWELS: Final = dict(zip("ᅡᅢᅣᅤᅥᅦᅧᅨᅩᅪᅫᅬᅭᅮᅯᅰᅱᅲᅳᅴᅵ", "aæaæʌæʌæoaæeouʌeiuɯii", strict=True))
_CODAS: Final = {
    **dict.fromkeys("ᆨᆩᆪᆰᆿ", "K"), **dict.fromkeys("ᆫᆬᆭ", "N"), **dict.fromkeys("ᆯᆲᆳᆴᆶ", "L"),
    **dict.fromkeys("ᆮᆺᆻᆽᆾᇀᇂ", "T"), **dict.fromkeys("ᆷᆱ", "M"), **dict.fromkeys("ᆸᆹᆵᇁ", "P"),
    "ᆼ": "ŋ",
}  # fmt: skip

#: Spelling to phones, the longest first; what is not here sounds as it is written.
_LATIN: Final = (
    ("tch", "c"), ("tsch", "c"), ("ch", "c"), ("sh", "s"), ("dge", "j"), ("ph", "f"), ("th", "t"),
    ("ck", "k"), ("qu", "k"), ("ng", "ŋ"), ("ee", "i"), ("ea", "i"), ("oo", "u"), ("ou", "u"),
    ("ow", "u"), ("ai", "æ"), ("ay", "e"), ("au", "o"), ("aw", "o"), ("eo", "ʌ"), ("eu", "ɯ"),
    ("ae", "æ"), ("ah", "a"), ("ar", "a"), ("er", "ʌ"), ("y", "i"), ("x", "ks"), ("w", "u"),
    ("v", "b"), ("z", "j"),
)  # fmt: skip
_LATIN_TABLE: Final = dict(_LATIN)
_LATIN_PATTERN: Final = re.compile("|".join(sorted(_LATIN_TABLE, key=len, reverse=True)))

#: What it costs to hear one phone for another; 1 for any other pair. Lax, tense and aspirated
#: consonants (ㅈ ㅉ ㅊ) are taken for each other most.
_NEAR: Final = {
    0.2: ("gk", "gq", "kq", "dt", "d†", "t†", "bp", "b‡", "p‡", "s§", "jc", "jʧ", "cʧ", "rl"),
    0.3: ("lL", "rL", "eæ", "ʌo", "ʌa", "uɯ", "ou", "ie", "æa",
          "nN", "mM", "kK", "gK", "tT", "dT", "pP", "bP"),
    0.5: ("nm", "NM", "Nŋ", "nŋ", "sc", "sʧ", "sj", "ei", "ao", "ɯʌ", "ui", "fp"),
}  # fmt: skip
_COSTS: Final = {
    frozenset(pair): cost for cost, pairs in _NEAR.items() for pair in pairs
}  # fmt: skip

#: Phones that come and go.
_WEAK: Final = {"h": 0.3, "r": 0.4, "ɯ": 0.4, "-": 0.0}
_EXTRA: Final = 1.0


@lru_cache(maxsize=4096)
def sound(text: str) -> str:
    """The phones of a word or more; what is no letter of either script is passed over."""
    phones = []
    latin = ""
    for char in unicodedata.normalize("NFD", text.casefold()):
        if char.isascii() and char.isalpha():
            latin += char
            continue
        phones.append(_latin(latin))
        latin = ""
        phones.append(_ONSETS.get(char) or _VOWELS.get(char) or _CODAS.get(char) or "")
    phones.append(_latin(latin))
    return "".join(phones).replace("-", "")


def distance(heard: str, name: str) -> float:
    """What has to be changed to hear `heard` for `name`, both as phones: a weighted edit distance
    in whole phones."""
    row = [0.0]
    for phone in name:
        row.append(row[-1] + _WEAK.get(phone, _EXTRA))
    for one in heard:
        above, row = row, [row[0] + _WEAK.get(one, _EXTRA)]
        for at, other in enumerate(name):
            swapped = above[at] + (
                0.0 if one == other else _COSTS.get(frozenset((one, other)), 1.0)
            )
            row.append(
                min(
                    swapped,
                    above[at + 1] + _WEAK.get(one, _EXTRA),
                    row[at] + _WEAK.get(other, _EXTRA),
                )
            )
    return row[-1]


def _latin(word: str) -> str:
    if not word:
        return ""
    word = re.sub(r"(.)\1+", r"\1", word) if not re.search("ee|oo", word) else word
    return _LATIN_PATTERN.sub(lambda found: _LATIN_TABLE[found[0]], word)
