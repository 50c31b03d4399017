from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.script import Line, Script
from relay.turn.sentences import Clause

ONE, TWO = "하나 둘 셋 넷.", "다섯 여섯."


def line(text: str, start: int | None, frames: int, *, remembered: bool = True) -> Line:
    return Line(Clause(text, text), remembered, start, frames)


def script(*lines: Line, whole: bool = True) -> Script:
    script = Script()
    for each in lines:
        script.add(each)
        if whole:
            script.made(each)
    return script


@pytest.mark.parametrize(
    ("played", "heard", "unheard"),
    [
        (0, "", (ONE, TWO)),
        (10, "", (ONE, TWO)),
        (30, "하나…", (ONE, TWO)),
        (60, "하나 둘…", (ONE, TWO)),
        (99, ONE, (TWO,)),
        (130, f"{ONE} 다섯…", (TWO,)),
        (150, f"{ONE} {TWO}", ()),
    ],
)
def test_a_clause_counts_as_far_as_its_time_was_played(
    played: float, heard: str, unheard: tuple[str, ...]
) -> None:
    both = script(line(ONE, 0, 100), line(TWO, 100, 50))
    assert both.heard(played) == heard
    assert both.unheard(played) == unheard


def test_a_clause_that_was_not_sent_is_unheard() -> None:
    both = script(line(ONE, 0, 100), line(TWO, None, 50))
    assert both.said() == ONE
    assert both.unheard(1000) == (TWO,)


def test_a_clause_in_the_making_is_as_long_as_its_text_lets_expect() -> None:
    both = script(line("일이삼사오", 0, 50))
    both.add(line("하나 둘 셋 넷 다섯 여섯", 50, 10))
    assert both.heard(60) == "일이삼사오"
    assert both.heard(95) == "일이삼사오 하나 둘…"


def test_without_another_clause_to_go_by_what_was_made_is_all_that_is_known() -> None:
    alone = script(line(ONE, 0, 20), whole=False)
    assert alone.heard(20) == "하나 둘 셋…"
    assert alone.unheard(20) == (ONE,)


def test_what_is_not_remembered_is_neither_heard_nor_left() -> None:
    both = script(line("혼잣말.", 0, 10, remembered=False), line(TWO, 10, 50))
    assert both.heard(5) == ""
    assert both.heard(100) == both.said() == TWO
    assert both.unheard(5) == (TWO,)


@given(st.lists(st.tuples(st.text("가나 ", min_size=1), st.integers(1, 99)), max_size=5), st.data())
def test_more_playing_never_makes_less_heard(
    clauses: list[tuple[str, int]], data: st.DataObject
) -> None:
    lines, place = [], 0
    for text, frames in clauses:
        lines.append(line(text, place, frames))
        place += frames
    whole = script(*lines)
    first, second = sorted(data.draw(st.tuples(*[st.floats(0, 500)] * 2)))
    assert len(whole.heard(first).strip("…")) <= len(whole.heard(second))
    assert len(whole.unheard(first)) >= len(whole.unheard(second))
