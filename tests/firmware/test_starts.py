"""What one start tells the next: why it came, and how often it was for want of memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

PRELUDE = """
import machine
from doll import starts
machine.reset_cause = lambda: cause
cause = machine.SOFT_RESET
"""


@pytest.fixture
def run(micropython: Micropython) -> Callable[[str], None]:
    def run(script: str) -> None:
        assert micropython(PRELUDE + script + "\nprint('end')\n") == "end\n"

    return run


Run = Callable[[str], None]


def test_a_restart_for_room_is_told_once(run: Run) -> None:
    run("""
assert starts.why() == ""
starts.ask_for_room()
assert starts.why() == "memory"
assert starts.why() == ""
""")


def test_a_doll_that_was_plugged_in_says_so_and_not_what_was_before(run: Run) -> None:
    run("""
starts.ask_for_room()
cause = machine.PWRON_RESET
assert starts.why() == "power"
cause = machine.SOFT_RESET
assert starts.why() == ""
""")


def test_restarts_for_room_are_counted_until_it_is_plugged_in(run: Run) -> None:
    run("""
assert starts.rooms() == 0
starts.ask_for_room()
starts.why()
starts.ask_for_room()
assert starts.rooms() == 2
starts.forget_rooms()
assert starts.rooms() == 0
""")
