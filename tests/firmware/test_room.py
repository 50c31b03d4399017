"""What a lack of memory leads to: which ones are too many, and how long a restart waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]
Run = Callable[[str], None]

PRELUDE = """
from doll import log
from doll.room import Room

lines = []
log._line = lambda level, text: lines.append(level + " " + text)
"""


@pytest.fixture
def run(micropython: Micropython) -> Run:
    def run(script: str) -> None:
        assert micropython(PRELUDE + script + "\nprint('end')\n") == "end\n"

    return run


def test_three_lacks_in_ten_minutes_are_too_many(run: Run) -> None:
    run("""
room = Room(0)
for at in (1000, 300_000):
    room.note("message", at)
    assert not room.lacks
room.note("link", 600_000)
assert room.lacks
assert [line.rsplit(" ", 1)[0] for line in lines] == [
    "W memory short at=message n=1",
    "W memory short at=message n=2",
    "W memory short at=link n=3",
]
""")


def test_lacks_that_lie_far_apart_are_not(run: Run) -> None:
    run("""
room = Room(0)
for i in range(20):
    room.note("message", i * 300_001)
assert not room.lacks
""")


def test_a_heap_that_a_collection_does_not_mend_is_too_little_at_once(
    micropython: Micropython,
) -> None:
    script = """
room = Room(0)
def fill():
    kept = []
    try:
        while True:
            kept.append(bytearray(900))
    except MemoryError:
        pass
    room.note("message", 0)
    return kept
fill()
assert room.lacks
print("end")
"""
    assert micropython(PRELUDE + script, heap="60K") == "end\n"


def test_each_restart_waits_longer_than_the_one_before(run: Run) -> None:
    run("""
for restarts, minutes in ((0, 1), (1, 4), (2, 16), (3, 64), (5, 1024), (1000, 1024)):
    room = Room(restarts)
    room.lacks = True
    assert not room.is_due(60 * minutes - 1)
    assert room.is_due(60 * minutes)
room.lacks = False
assert not room.is_due(1_000_000)
""")
