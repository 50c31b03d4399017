"""How Korean is pronounced: the standard pronunciation rules (표준발음법) on syllables.

The numbers are those of the rules as the National Institute of Korean Language publishes them
(Standard Language Regulations, part 2; Ministry of Culture notice 2017-13). What spelling cannot
tell (which noun is a compound, which word is Sino-Korean, which stem is a verb's) comes from
`respell`, before these rules. Vowel length (rules 6 and 7), which Seoul speech has lost, is left
out.

Words of one phrase are spoken in one breath, so the rules hold across the spaces too, where the
coda is first reduced to one of the seven (rule 15: 밭 아래 [바다래], not [바타래]).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from relay.tts.korean.jamo import NONE, Syllable

#: Rules 8 to 11: the seven codas that are pronounced, and what each written one becomes.
REDUCED = {
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"),
    **dict.fromkeys("ㄴㄵㄶ", "ㄴ"),
    **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㄹㄼㄽㄾㅀ", "ㄹ"),
    **dict.fromkeys("ㅁㄻ", "ㅁ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"),
    "ㅇ": "ㅇ",
    "": "",
}

#: Two-letter codas: what stays, what may move to the next syllable.
SPLIT = {
    "ㄳ": ("ㄱ", "ㅅ"),
    "ㄵ": ("ㄴ", "ㅈ"),
    "ㄶ": ("ㄴ", "ㅎ"),
    "ㄺ": ("ㄹ", "ㄱ"),
    "ㄻ": ("ㄹ", "ㅁ"),
    "ㄼ": ("ㄹ", "ㅂ"),
    "ㄽ": ("ㄹ", "ㅅ"),
    "ㄾ": ("ㄹ", "ㅌ"),
    "ㄿ": ("ㄹ", "ㅍ"),
    "ㅀ": ("ㄹ", "ㅎ"),
    "ㅄ": ("ㅂ", "ㅅ"),
}

TENSE = {"ㄱ": "ㄲ", "ㄷ": "ㄸ", "ㅂ": "ㅃ", "ㅅ": "ㅆ", "ㅈ": "ㅉ"}
ASPIRATED = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}

#: Nouns in ㄺ, which keep its ㄱ before ㄱ (rule 11), and in ㄼ, which tense nothing (rule 25).
NOUNS_IN_LG = frozenset("닭흙칡슭탉삵")
NOUNS_IN_LB = frozenset("덟")
#: The one verb whose ㄼ is [ㅂ] (rule 10), also where its onset is tensed (짓밟다).
STEM_BALP = frozenset("밟빫")
#: Stems in ㄻ whose -기- makes a passive or causative verb and is not tensed (rule 24).
CAUSATIVE_IN_LM = frozenset("굶옮곪")


def apply(phrase: Sequence[Sequence[Syllable]]) -> None:
    """Turn the spelling of `phrase` (words of syllables) into its pronunciation, in place."""
    words = [word for word in phrase if word]
    for word in words:
        for left, right in pairwise(word):
            _meet(left, right)
        word[-1].coda = REDUCED[word[-1].coda]
    for first, second in pairwise(words):
        _meet(first[-1], second[0], joined=False)
    for word in words:
        for position, syllable in enumerate(word):
            _vowel(syllable, first=position == 0)


def _meet(left: Syllable, right: Syllable, *, joined: bool = True) -> None:
    """What `left`'s coda and `right`'s onset do to each other."""
    written = str(left)
    if right.onset == NONE:
        _before_vowel(left, right, joined=joined)
        return
    if right.onset == "ㅎ" and _before_h(left, right, joined=joined):
        return
    if left.coda in ("ㅎ", "ㄶ", "ㅀ") and _after_h(left, right):
        return
    _tense(left, right, written)
    _reduce(left, right, written)
    _assimilate(left, right)


def _before_vowel(left: Syllable, right: Syllable, *, joined: bool) -> None:
    coda = left.coda
    if coda in ("", "ㅇ"):
        return
    stays, moves = SPLIT.get(coda, ("", coda))
    if moves == "ㅎ":  # rule 12.4: 낳은 [나은], 많아 [마나]
        stays, moves = "", stays or NONE
    elif joined and moves in "ㄷㅌ" and right.nucleus in "ㅣㅕ":
        moves = "ㅈ" if moves == "ㄷ" else "ㅊ"  # rule 17: 굳이 [구지], 벼훑이 [벼훌치]
    elif stays and moves == "ㅅ":
        moves = "ㅆ"  # rule 14: 값을 [갑쓸]
    left.coda, right.onset = stays, moves  # rules 13 and 14


def _before_h(left: Syllable, right: Syllable, *, joined: bool) -> bool:
    """Rule 12, addition 1, and rule 17, addition: an obstruent and ㅎ are one aspirate."""
    stays, meets = SPLIT.get(left.coda, ("", left.coda))
    suffix = right.nucleus == "ㅣ" or (right.nucleus == "ㅕ" and right.coda in ("", "ㅆ"))
    if joined and meets in ("ㄷ", "ㅌ") and suffix:
        left.coda, right.onset = stays, "ㅊ"  # 굳히다 [구치다], 묻혀 [무처]
        return True
    plain = meets if meets == "ㅈ" else REDUCED.get(meets, "")
    if plain not in ASPIRATED:
        return False
    left.coda, right.onset = stays, ASPIRATED[plain]  # 맏형 [마텽], 앉히다 [안치다]
    return True


def _after_h(left: Syllable, right: Syllable) -> bool:
    """Rule 12: ㅎ joins the consonant behind it."""
    stays = SPLIT.get(left.coda, ("", ""))[0]
    if right.onset in ASPIRATED:
        left.coda, right.onset = stays, ASPIRATED[right.onset]  # 12.1: 놓고 [노코]
        return True
    if right.onset == "ㅅ":
        left.coda, right.onset = stays, "ㅆ"  # 12.2: 닿소 [다쏘]
        return True
    left.coda = stays or "ㄷ"  # 12.3: 놓는 [논는], 않는 [안는], 뚫네 [뚤레] by rules 18 and 20
    return False


def _tense(left: Syllable, right: Syllable, written: str) -> None:
    if right.onset not in TENSE:
        return
    obstruent = REDUCED[left.coda] in ("ㄱ", "ㄷ", "ㅂ")  # rule 23
    stem = (
        left.coda == "ㄵ"  # rule 24: 앉고 [안꼬]
        or (
            left.coda == "ㄻ"  # rule 24: 닮고 [담꼬], but 옮기다 [옴기다]
            and not (written in CAUSATIVE_IN_LM and str(right).startswith("기"))
        )
        or (left.coda == "ㄼ" and written not in NOUNS_IN_LB)  # rule 25: 넓게 [널께]
        or left.coda == "ㄾ"  # rule 25: 핥다 [할따]
    )
    if obstruent or stem:
        right.onset = TENSE[right.onset]


def _reduce(left: Syllable, right: Syllable, written: str) -> None:
    if left.coda == "ㄺ" and right.onset == "ㄲ" and written not in NOUNS_IN_LG:
        left.coda = "ㄹ"  # rule 11, exception: 맑게 [말께]
    elif written in STEM_BALP:
        left.coda = "ㅂ"  # rule 10, exception: 밟다 [밥따]
    else:
        left.coda = REDUCED[left.coda]  # rules 9 to 11


def _assimilate(left: Syllable, right: Syllable) -> None:
    if right.onset == "ㄹ" and left.coda in ("ㅁ", "ㅇ", "ㄱ", "ㄷ", "ㅂ"):
        right.onset = "ㄴ"  # rule 19: 담력 [담녁], 협력 [혐녁]
    if right.onset in "ㄴㅁ" and left.coda in NASAL:
        left.coda = NASAL[left.coda]  # rule 18: 먹는 [멍는]
    elif right.onset == "ㄹ" and left.coda == "ㄴ":
        left.coda = "ㄹ"  # rule 20: 난로 [날로]
    elif right.onset == "ㄴ" and left.coda == "ㄹ":
        right.onset = "ㄹ"  # rule 20: 칼날 [칼랄]


def _vowel(syllable: Syllable, *, first: bool) -> None:
    """Rule 5."""
    if syllable.onset in "ㅈㅉㅊ" and syllable.nucleus == "ㅕ":
        syllable.nucleus = "ㅓ"  # 5.1: 가져 [가저]
    elif syllable.nucleus == "ㅖ" and syllable.onset not in "ㅇㄹㄴ":  # ㄴ: a ㄹ by rule 20
        syllable.nucleus = "ㅔ"  # 5.2: 시계 [시게]
    elif syllable.nucleus == "ㅢ" and (syllable.onset != NONE or not first):
        syllable.nucleus = "ㅣ"  # 5.3: 희망 [히망]; 5.4: 주의 [주이]
