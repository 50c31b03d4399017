"""A long hold of the button, on a clock that the test moves."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

SCRIPT = """
import time
from doll import button, hold
level = 1
START = %d
b = button.Button(lambda: level, START)
h = hold.Hold()
names = ("nothing", "soon", "setup", "reset")
out = []
now = 0
for at, value, counts in %r:
    while now < at:
        t = time.ticks_add(START, now)
        what = h.poll(b.poll(t), counts, t)
        if what:
            out.append((now, names[what]))
        now += 10
    level = value
print(out)
"""


def _said(
    micropython: Micropython, *changes: tuple[int, int, bool], start: int = 0
) -> list[tuple[int, str]]:
    """What a hold means, as (ms, name). changes are (ms until then, level after, counts before)."""
    said: list[tuple[int, str]] = ast.literal_eval(micropython(SCRIPT % (start, changes)))
    return said


def test_three_seconds_and_then_let_go_open_the_setup(micropython: Micropython) -> None:
    said = _said(micropython, (100, 0, True), (4000, 1, True), (4100, 1, True))
    assert said == [(3100, "soon"), (4000, "setup")]


def test_ten_seconds_reset_at_once(micropython: Micropython) -> None:
    said = _said(micropython, (100, 0, True), (15000, 1, True), (15100, 1, True))
    assert said == [(3100, "soon"), (10100, "reset")]


def test_a_shorter_press_means_nothing(micropython: Micropython) -> None:
    assert _said(micropython, (100, 0, True), (2900, 1, True), (9000, 1, True)) == []


def test_a_press_while_the_doll_has_a_link_never_counts(micropython: Micropython) -> None:
    assert _said(micropython, (100, 0, False), (500, 0, False), (15000, 1, True)) == []


def test_what_began_without_a_link_goes_on_to_count(micropython: Micropython) -> None:
    said = _said(micropython, (100, 0, True), (500, 0, True), (15000, 1, False))
    assert said == [(3100, "soon"), (10100, "reset")]


@pytest.mark.parametrize("start", [2**62 - 5000, 2**29])
def test_it_works_across_the_wrap_of_the_ticks(micropython: Micropython, start: int) -> None:
    said = _said(micropython, (100, 0, True), (15000, 1, True), start=start)
    assert said == [(3100, "soon"), (10100, "reset")]
