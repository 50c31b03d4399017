from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.sounds import distance, sound


@pytest.mark.parametrize(
    ("one", "other"), [("차차", "ChaCha"), ("chatcha", "차차"), ("루나", "Luna"), ("민지", "Minji")]
)
def test_a_name_sounds_alike_in_both_scripts(one: str, other: str) -> None:
    assert distance(sound(one), sound(other)) <= 0.3


@pytest.mark.parametrize(
    ("near", "far"), [("자자", "사자"), ("차자", "찾아"), ("짜짜", "카차"), ("챠챠", "차")]
)
def test_what_is_misheard_is_nearer_than_another_word(near: str, far: str) -> None:
    name = sound("차차")
    assert distance(sound(near), name) < distance(sound(far), name)


def test_a_silent_letter_and_a_final_consonant_are_told_apart() -> None:
    assert sound("아") == "a"
    assert sound("앙") == "aŋ"
    assert sound("찾아") == "caTa"


@given(st.text(max_size=20), st.text(max_size=20))
def test_it_is_a_distance(one: str, other: str) -> None:
    a, b = sound(one), sound(other)
    assert distance(a, a) == 0
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert distance(a, b) >= 0
