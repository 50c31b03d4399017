"""Measures how somebody writes: how long, with which endings, which words, how they laugh."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from relay.turn.emoticons import without_pictures

#: Different words that are counted at a time; the rarest are forgotten when there are more.
_MAX_WORDS = 50_000
_MAX_CHARS = 500  # in the histogram of lengths

_LAUGH = re.compile(r"[ㅋㅎ]{2,}|\b(?:ha){2,}h?\b|\b(?:he){2,}\b|\blo+l\b|\blmao\b", re.IGNORECASE)
_CRY = re.compile(r"[ㅠㅜ]{2,}|T_T|;_;")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]|\\^\\^|[:;]-?[)D(P]")
_SENTENCE = re.compile(r"[^.!?~…\n]+")
_WORD = re.compile(r"[가-힣]{1,12}|[A-Za-z][A-Za-z'’]{0,19}")
_HANGUL_END = re.compile(r"[가-힣]\Z")

_FORMAL = re.compile(r"(?:니다|습니까|[가-힣]니까|십시오|십시요)\Z")
_POLITE = re.compile(
    r"(?<!필)(?<!중)(?<!주)(?<!수)(?<!월)(?<!화)(?<!목)(?<!금)(?<!토)(?<!일)(?:요|죠|용|욤)\Z"
)
_CASUAL = re.compile(
    r"(?:[아어야여해돼봐와줘워겨져켜혀래게네냐니자지군걸다라까든데음임함됨럼당넹징엉쥐]|거든|잖아|구나|더라|는걸)\Z"
)

#: Endings that tell something about a person, the longest first.
_ENDINGS = (
    *(
        "거든요",
        "잖아요",
        "는데요",
        "던데요",
        "더라고요",
        "구나",
        "는구나",
        "군요",
        "네요",
        "나요",
        "까요",
        "을게요",
    ),
    *(
        "ㄹ게요",
        "래요",
        "습니다",
        "거든",
        "잖아",
        "는데",
        "던데",
        "더라",
        "라고",
        "다고",
        "냐고",
        "자고",
        "는걸",
        "을걸",
    ),
    *(
        "려고",
        "라니까",
        "다니까",
        "든가",
        "든지",
        "냐",
        "니",
        "네",
        "지",
        "자",
        "래",
        "군",
        "음",
        "임",
        "함",
        "됨",
    ),
    *("당", "넹", "징", "죠", "용", "욤", "쥐", "랑"),
)


@dataclass(frozen=True, slots=True)
class Style:
    """What was measured. Shares are of messages, 0 to 1."""

    messages: int
    chars: int  #: median length of a message
    register: str = ""  #: of Korean: casual, polite, formal or mixed; empty where there is none
    endings: tuple[str, ...] = ()
    openers: tuple[str, ...] = ()
    favourites: tuple[str, ...] = ()
    laugh: str = ""  #: as they laugh in writing, if they do
    cry: str = ""
    emoji: float = 0.0
    asks: float = 0.0
    exclaims: float = 0.0
    drawls: float = 0.0  #: 응~
    trails: float = 0.0  #: 글쎄…


class StyleMeter:
    """Takes messages one by one; holds counts, no messages."""

    def __init__(self) -> None:
        self._messages = 0
        self._lengths = [0] * (_MAX_CHARS + 1)
        self._registers: Counter[str] = Counter()
        self._endings: Counter[str] = Counter()
        self._signs: Counter[str] = Counter()
        self._laughs: Counter[str] = Counter()
        self._cries: Counter[str] = Counter()
        self._first: Counter[str] = Counter()
        self._own: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def other(self, text: str) -> None:
        """A message of somebody else: words that all use are nobody's favourites."""
        self._others.update(_words(text))
        _prune(self._others)

    def own(self, text: str) -> None:
        """A message of the speaker."""
        self._messages += 1
        plain = " ".join(without_pictures(text).split())
        self._lengths[min(len(plain), _MAX_CHARS)] += 1
        if laughs := _LAUGH.findall(text):
            self._laughs[_short(laughs[0])] += 1
        if cries := _CRY.findall(text):
            self._cries[_short(cries[0])] += 1
        for sign, there in (
            ("emoji", _EMOJI.search(text) is not None),
            ("asks", "?" in text),
            ("exclaims", "!" in text),
            ("drawls", "~" in text),
            ("trails", "..." in text or "…" in text),
        ):
            self._signs[sign] += there
        words = _words(plain)
        if len(words) > 1:
            self._first[words[0]] += 1
        self._own.update(words)
        _prune(self._own)
        _prune(self._first)
        for sentence in _SENTENCE.findall(plain):
            self._end(sentence.strip(" ,;:)\"'"))

    def _end(self, sentence: str) -> None:
        if not _HANGUL_END.search(sentence):
            return
        for register, rule in (("formal", _FORMAL), ("polite", _POLITE), ("casual", _CASUAL)):
            if rule.search(sentence):
                self._registers[register] += 1
                ending = next((end for end in _ENDINGS if sentence.endswith(end)), "")
                self._endings[ending] += 1
                return

    def style(self, is_kept: Callable[[str], bool] = lambda _: True) -> Style:
        """What came of it; words that are not `is_kept` are not told."""
        most = max(1, self._messages)
        share = {sign: round(count / most, 3) for sign, count in self._signs.items()}
        return Style(
            messages=self._messages,
            chars=_median(self._lengths),
            register=self._register(),
            endings=self._usual_endings(),
            openers=tuple(word for word in self._openers() if is_kept(word))[:4],
            favourites=tuple(word for word in self._favourites() if is_kept(word))[:8],
            laugh=_usual(self._laughs, most),
            cry=_usual(self._cries, most),
            **{sign: share.get(sign, 0.0) for sign in _SHARES},
        )

    def _register(self) -> str:
        total = sum(self._registers.values())
        if total < 5:
            return ""
        register, count = self._registers.most_common(1)[0]
        return register if count / total >= 0.8 else "mixed"

    def _usual_endings(self) -> tuple[str, ...]:
        total = max(1, sum(self._endings.values()))
        return tuple(
            f"-{end}"
            for end, count in self._endings.most_common(8)
            if end and count >= 3 and count / total >= 0.03
        )[:5]

    def _openers(self) -> list[str]:
        """Words that stand at the beginning far more than elsewhere: 흥, 아니, well."""
        least = max(3, self._messages // 200)
        return [
            word
            for word, count in self._first.most_common(40)
            if count >= least and count / max(1, self._own[word]) >= 0.6 and len(word) <= 6
        ]

    def _favourites(self) -> list[str]:
        """Words that the speaker uses twice as often as the others, by how telling that is."""
        own, others = sum(self._own.values()), sum(self._others.values())
        least = max(3, self._messages // 500)
        scores = {}
        for word, count in self._own.items():
            if count < least or len(word) < 2:
                continue
            ratio = (count / own) / ((self._others[word] + 1) / (others + 1))
            if ratio >= 2:
                scores[word] = count * math.log(ratio)
        return sorted(scores, key=scores.__getitem__, reverse=True)[:20]


_SHARES = ("emoji", "asks", "exclaims", "drawls", "trails")


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _short(laugh: str) -> str:
    """ㅋㅋㅋㅋㅋㅋ is ㅋㅋㅋ."""
    return laugh.lower()[:4] if laugh[:1].isascii() else laugh[:3]


def _usual(counts: Counter[str], messages: int) -> str:
    if sum(counts.values()) / messages < 0.05 or not counts:
        return ""
    return counts.most_common(1)[0][0]


def _median(histogram: list[int]) -> int:
    left = (sum(histogram) + 1) // 2
    for value, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return value
    return 0


def _prune(counts: Counter[str]) -> None:
    if len(counts) > 2 * _MAX_WORDS:
        kept = counts.most_common(_MAX_WORDS)
        counts.clear()
        counts.update(dict(kept))
