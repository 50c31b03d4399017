"""What a manner of speech costs each turn that was learned from 100,000 lines: the search for the
nearest of them, and the memory of their index.

The lines are made of parts, so that many share words, as those of one speaker do.
"""

from __future__ import annotations

import random
import time

from relay.persona.learning.index import Index
from tools.bench.report import percentiles_ms

_WHO = (
    "나",
    "엄마",
    "진주",
    "우리 반 친구",
    "선생님",
    "강아지",
    "동생",
    "옆집 언니",
    "할머니",
    "차차",
)
_WHEN = (
    "오늘",
    "어제",
    "내일",
    "주말에",
    "아침에",
    "점심 먹고",
    "학교 끝나고",
    "자기 전에",
    "방금",
)
_WHAT = ("떡볶이", "수학 숙제", "새 신발", "그 영화", "게임", "피아노", "축구", "책 세 권", "바다")
_DOES = ("봤어", "먹고 싶대", "잃어버렸나 봐", "좋아한대", "싫다고 했어", "하자고 해", "샀다더라")
_ENDS = ("", " 진짜로", " 아마도", " 웃기지", " 어떡하지", " 부럽다", " 알고 있었어")

_SEARCHES = 300


def lines(count: int) -> list[str]:
    """So many made-up lines, the same ones each time."""
    chance = random.Random(7)  # noqa: S311 (to be repeatable)
    parts = (_WHEN, _WHO, _WHAT, _DOES, _ENDS)
    return [
        " ".join(chance.choice(part) for part in parts) + f" {chance.randrange(1000)}"
        for _ in range(count)
    ]


def figures(count: int) -> dict[str, float]:
    """Build the index, and search it for lines that are not in it."""
    start = time.perf_counter()
    index = Index.of(lines(count))
    built_s = time.perf_counter() - start
    asked = [f"{line} 그치" for line in lines(count + _SEARCHES)[-_SEARCHES:]]
    took = []
    for text in asked:
        start = time.perf_counter()
        index.nearest(text, 4)
        took.append(time.perf_counter() - start)
    size = sum(array.nbytes for array in index.arrays().values())
    return {
        "manner_lines": count,
        **percentiles_ms("manner_search", took),
        "manner_index_mb": round(size / 1e6, 1),
        "manner_build_s": round(built_s, 1),
    }
