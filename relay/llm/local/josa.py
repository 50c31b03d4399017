"""Korean particles that depend on how the word before them ends.

In a text they are written in both forms, as Koreans do when they do not know the word:
`차차은(는)`, `진주이(가)`, `칠(이)야`.
"""

from __future__ import annotations

import re

_FORMS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "아(야)": ("아", "야"),
    "(이)": ("이", ""),
    "(으)": ("으", ""),
}
_MARK = re.compile("|".join(map(re.escape, _FORMS)))
_CLOSED_LATIN = frozenset("lmnLMN")  # ends in a consonant in Korean ears too: 엘, 엠, 엔; ng
_CLOSED_DIGITS = frozenset("013678")  # 영 일 삼 육 칠 팔
_RIEUL = 8  # the number of the final ㄹ, after which 으로 becomes 로


def resolve(text: str) -> str:
    """Choose each particle that is written in both forms."""
    return _MARK.sub(lambda match: _choose(text[: match.start()], match[0]), text)


def _choose(before: str, mark: str) -> str:
    closed, open_ = _FORMS[mark]
    final = _final(before)
    if mark == "(으)" and final == _RIEUL:
        return open_
    return closed if final else open_


def _final(before: str) -> int:
    """The number of the final consonant of the last syllable, 0 for none."""
    last = before.rstrip(" \"'”’)")[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28
    return int(last in _CLOSED_DIGITS or last in _CLOSED_LATIN)
