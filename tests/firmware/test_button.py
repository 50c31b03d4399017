"""The button on a clock that the test moves."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

SCRIPT = """
import time
from doll import button
level = 1
b = button.Button(lambda: level, START)
out = []
for at, value in %r:
    # The pin is looked at every 10 ms up to the next change.
    while now < at:
        e = b.poll(time.ticks_add(START, now))
        if e:
            out.append((now, button.NAMES[e]))
        now += 10
    level = value
print(out)
"""


def _events(micropython: Micropython, *changes: tuple[int, int], start: int = 0) -> object:
    """What the button says, as (ms, name); changes are (ms, level), the last one ends the test."""
    script = f"START = {start}\nnow = 0\n" + SCRIPT % (changes,)
    return ast.literal_eval(micropython(script))


def test_a_short_press_is_a_press_and_a_tap(micropython: Micropython) -> None:
    assert _events(micropython, (100, 0), (250, 1), (1000, 1)) == [(100, "press"), (250, "tap")]


def test_a_held_button_is_a_hold_after_300_ms_and_ends_with_a_release(
    micropython: Micropython,
) -> None:
    assert _events(micropython, (100, 0), (700, 1), (1000, 1)) == [
        (100, "press"),
        (400, "hold"),
        (700, "release"),
    ]


def test_a_long_press_is_told_once(micropython: Micropython) -> None:
    assert _events(micropython, (0, 0), (3000, 1), (3500, 1)) == [
        (30, "press"),
        (330, "hold"),
        (1030, "long"),
        (3000, "release"),
    ]


def test_contacts_that_bounce_are_one_press(micropython: Micropython) -> None:
    bounces = [(100 + 10 * i, i % 2) for i in range(4)]
    ends = [(300 + 10 * i, 1 - i % 2) for i in range(3)]
    assert _events(micropython, *bounces[:3], *ends, (900, 1)) == [(100, "press"), (300, "tap")]


def test_a_release_within_the_bounce_time_is_not_missed(micropython: Micropython) -> None:
    assert _events(micropython, (100, 0), (110, 1), (500, 1)) == [(100, "press"), (130, "tap")]


@pytest.mark.parametrize("start", [2**62 - 200, 2**29])
def test_it_works_across_the_wrap_of_the_ticks(micropython: Micropython, start: int) -> None:
    assert _events(micropython, (100, 0), (700, 1), (1000, 1), start=start) == [
        (100, "press"),
        (400, "hold"),
        (700, "release"),
    ]
