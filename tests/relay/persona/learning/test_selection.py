from __future__ import annotations

from relay.persona.base import Exchange
from relay.persona.learning.selection import select
from relay.persona.learning.style import Style

STYLE = Style(100, 12, "casual", endings=("-거든", "-잖아"), favourites=("세그폴트",))


def test_those_that_are_picked_differ() -> None:
    same = [Exchange(f"질문 {n}", f"딱히 기다린 건 아니거든 {n}") for n in range(50)]
    other = [Exchange("비 와", "우산 챙겼어야지, 바보"), Exchange("배고파", "밥부터 먹고 말해")]
    picked = select([*same, *other], STYLE, 4)
    assert len(picked) == 4
    assert set(other) <= set(picked)


def test_the_first_one_shows_the_manner() -> None:
    plain = [Exchange("뭐 해", "그냥 그래"), Exchange("왜", "몰라")]
    telling = Exchange("어때", "또 세그폴트 났잖아")
    assert select([*plain, telling], STYLE, 1) == (telling,)


def test_few_are_all_picked_and_none_is_none() -> None:
    one = Exchange("뭐 해", "그냥 그래")
    assert select([one], STYLE) == (one,)
    assert select([], STYLE) == ()


def test_of_many_only_some_are_looked_at_from_the_whole_chat() -> None:
    many = [Exchange(f"{n}", f"대답 {n} 이거든") for n in range(5_000)]
    picked = select(many, STYLE, 8)
    assert len(picked) == len(set(picked)) == 8
