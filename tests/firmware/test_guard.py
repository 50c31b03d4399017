"""The boot guard: which version starts, after how many failures another one, and safe mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

PRELUDE = """
import json, os
import machine, sim, time
from doll import bundle, guard, log, slots, starts

lines = []
log._line = lambda level, text: lines.append(level + " " + text)

class Relay:
    def __init__(self):
        self.said = []
    def send(self, message):
        self.said.append(message)

# A slot with something in it.
def fill(slot):
    slots.remove(slot)
    os.mkdir(slot)
    bundle.make_folders(slot, "doll/start.py")
    with open(slot + "/doll/start.py", "w") as f:
        f.write("x = 1")

def install(slot="app-a", before=""):
    fill(slot)
    slots.write({"slot": slot, "version": "0.2.0", "before": before, "trial": True, "failed": ""})
"""


@pytest.fixture
def run(micropython: Micropython) -> Callable[[str], None]:
    def run(script: str) -> None:
        assert micropython(PRELUDE + script + "\nprint('end')\n") == "end\n"

    return run


Run = Callable[[str], None]


def test_a_new_board_starts_what_the_cable_brought(run: Run) -> None:
    run("""
assert guard.enter() == ""
assert starts.count() == 1 and lines == []
""")


def test_three_starts_that_fail_lead_to_safe_mode_and_a_good_one_does_not(run: Run) -> None:
    run("""
assert [guard.enter() for _ in range(3)] == ["", "", ""]
assert not starts.is_safe()
assert guard.enter() is None and starts.is_safe()
assert lines[-1].startswith("E safe starts=4")
guard.prove(Relay())
assert not starts.is_safe()
assert [guard.enter() for _ in range(3)] == ["", "", ""]
""")


def test_safe_mode_starts_from_slot_zero_and_ends_when_it_is_cleared(run: Run) -> None:
    run("""
install()
slots.write({"slot": "app-a", "trial": False})
assert [guard.enter() for _ in range(5)] == ["app-a"] * 3 + [None] * 2
starts.clear()
assert guard.enter() == "app-a"
""")


def test_a_version_on_trial_is_taken_back_after_three_starts(run: Run) -> None:
    run("""
install()
assert [guard.enter() for _ in range(4)] == ["app-a"] * 3 + [""]
assert lines[-1] == "W update taken back version=0.2.0"
assert slots.read()["failed"] == "0.2.0" and not slots.read()["trial"]
assert starts.count() == 1  # the version before has all of its tries
assert guard.enter() == ""
""")


def test_it_goes_back_to_the_slot_before(run: Run) -> None:
    run("""
fill("app-a")
install("app-b", before="app-a")
assert [guard.enter() for _ in range(4)] == ["app-b"] * 3 + ["app-a"]
""")


def test_it_goes_back_to_slot_zero_if_the_slot_before_has_gone(run: Run) -> None:
    run("""
install("app-b", before="app-a")
assert [guard.enter() for _ in range(4)] == ["app-b"] * 3 + [""]
""")


def test_a_version_that_proves_itself_stays_and_the_one_before_goes(run: Run) -> None:
    run("""
fill("app-a")
install("app-b", before="app-a")
relay = Relay()
assert guard.enter() == "app-b"
guard.prove(relay)
assert relay.said == [{"type": "update", "state": "healthy"}]
assert not slots.is_folder("app-a") and slots.is_folder("app-b")
assert [guard.enter() for _ in range(3)] == ["app-b"] * 3
""")


def test_nothing_is_said_about_the_health_of_an_old_version(run: Run) -> None:
    run("""
relay = Relay()
guard.enter()
guard.prove(relay)
assert relay.said == [] and lines == ["I healthy"]
""")


def test_a_trial_without_the_relay_is_ended_by_the_chips_timer(run: Run) -> None:
    run("""
resets = []
machine.reset = lambda: resets.append(True)
install()
guard.enter()
timer = machine.Timer(0)
assert timer._period == 120_000 and timer._mode == machine.Timer.ONE_SHOT
timer._callback(timer)
assert resets == [True] and lines[-1].startswith("W update late")
guard.prove(Relay())
resets.clear()
guard._late(timer)
assert resets == []
""")


def test_no_timer_runs_for_a_version_that_has_proved_itself(run: Run) -> None:
    run("""
guard.enter()
assert machine.Timer(0)._callback is None
""")


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "{",
        "[]",
        "null",
        '"app-a"',
        "{}",
        '{"slot": "app-c"}',
        '{"slot": "../x"}',
        '{"slot": 1, "trial": true}',
        '{"slot": ["app-a"]}',
        '{"slot": "app-b"}',
        pytest.param("\x00" * 100, id="zeros"),
        pytest.param("[" * 400, id="deep"),
        pytest.param('{"slot": "app-a", "version": "' + "x" * 600 + '"}', id="long"),
    ],
)
def test_a_damaged_pointer_leads_to_slot_zero(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "slot").write_text(text)
    run("""
fill("app-a")
assert guard.enter() == ""
assert slots.read() == {"slot": "", "version": "", "before": "", "trial": False, "failed": ""}
""")


@pytest.mark.parametrize("field", ['"trial": 1', '"before": "x"', '"version": null', '"more": 1'])
def test_a_damaged_field_of_a_pointer_is_as_if_it_were_not_there(
    run: Run, tmp_path: Path, field: str
) -> None:
    (tmp_path / "slot").write_text('{"slot": "app-a", ' + field + "}")
    run("""
fill("app-a")
assert guard.enter() == "app-a"
assert slots.read() == {"slot": "app-a", "version": "", "before": "", "trial": False, "failed": ""}
""")


def test_a_flash_that_cannot_be_written_does_not_stop_the_start(run: Run) -> None:
    run("""
def fail(*args):
    raise OSError(28)
install()
starts.write(3)
slots.write = fail
assert guard.enter() == ""
assert lines[-1].startswith("W guard cannot write: ")
import esp32
esp32.NVS.commit = fail
assert guard.enter() is not None
assert any(line.startswith("W guard cannot count") for line in lines)
""")


def test_an_update_never_overwrites_what_starts_or_what_it_would_go_back_to(run: Run) -> None:
    run("""
assert slots.spare() == "app-a"
install("app-a")
assert slots.spare() == "app-b"
fill("app-b")
slots.write({"slot": "app-a", "before": "app-b", "trial": True})
assert slots.spare() is None
slots.write({"slot": "app-a", "before": "app-b", "trial": False})
assert slots.spare() == "app-b"
""")
