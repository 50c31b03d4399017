"""The supervisor: what it feeds the watchdog for, when a start is healthy, and the reset."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"

PRELUDE = """
import machine
from doll import log, supervisor
from doll.supervisor import HEAR, LINK, SPEAK, Supervisor

lines = []
log._line = lambda level, text: lines.append(level + " " + text)

class WDT:
    made = []
    fed = 0
    def __init__(self, id=0, timeout=5000):
        WDT.made.append(timeout)
    def feed(self):
        WDT.fed += 1

machine.WDT = WDT
now = 1000

# Lets seconds pass in which these tasks come by; how often tick() was True.
def live(s, seconds, tasks=(HEAR, SPEAK, LINK), linked=True):
    global now
    found = 0
    for _ in range(seconds):
        now += 1000
        for task in tasks:
            s.seen[task] = 1
        found += s.tick(now, linked)
    return found
"""


@pytest.fixture
def run(micropython: Micropython) -> Callable[[str], None]:
    def run(script: str) -> None:
        assert micropython(PRELUDE + script + "\nprint('end')\n") == "end\n"

    return run


Run = Callable[[str], None]


def test_a_cable_has_half_a_minute_before_the_watchdog_starts(run: Run) -> None:
    run("""
s = Supervisor(True, False, now)
live(s, 29)
assert WDT.made == []
live(s, 1)
assert WDT.made == [60_000] and WDT.fed == 1 and lines == ["I watchdog ms=60000"]
live(s, 10)
assert WDT.made == [60_000] and WDT.fed == 11
""")


def test_there_is_no_watchdog_that_nobody_wants(run: Run) -> None:
    run("""
live(Supervisor(False, False, now), 500)
assert WDT.made == []
supervisor.loosen()
assert WDT.made == []
""")


@pytest.mark.parametrize(("task", "patience_s"), [("HEAR", 10), ("SPEAK", 10), ("LINK", 400)])
def test_a_task_that_stands_still_ends_the_feeding(run: Run, task: str, patience_s: int) -> None:
    run(f"""
s = Supervisor(True, False, now)
live(s, 40)
others = [t for t in (HEAR, SPEAK, LINK) if t != {task}]
fed = WDT.fed
live(s, {patience_s}, others)
assert WDT.fed == fed + {patience_s}
live(s, 100, others)
assert WDT.fed == fed + {patience_s}
assert lines[-1] == "E watchdog: the task {task.lower()} does not run", lines
assert len([line for line in lines if line.startswith("E")]) == 1
live(s, 5)  # and a task that is back is fed for again
assert WDT.fed == fed + {patience_s} + 5
""")


def test_a_start_is_healthy_once_after_a_minute(run: Run) -> None:
    run("""
s = Supervisor(False, False, now)
assert live(s, 59, linked=False) == 0
assert live(s, 1, linked=False) == 1 and s.is_healthy
assert live(s, 500) == 0
""")


def test_a_version_on_trial_is_healthy_only_with_the_relay(run: Run) -> None:
    run("""
s = Supervisor(False, True, now)
assert live(s, 100, linked=False) == 0
assert live(s, 1) == 1
""")


def test_a_start_whose_tasks_do_not_all_run_is_not_healthy(run: Run) -> None:
    run("""
s = Supervisor(False, False, now)
assert live(s, 300, (HEAR, LINK)) == 0
assert live(s, 1) == 1
""")


def test_looking_takes_no_heap(run: Run) -> None:
    run("""
import gc
s = Supervisor(True, False, now)
live(s, 70)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for t in range(1, 200):
    s.seen[0] = s.seen[1] = s.seen[2] = 1
    s.tick(now, True)
assert gc.mem_alloc() == before
""")


def test_a_doll_at_the_cable_is_given_more_time(run: Run) -> None:
    run("""
live(Supervisor(True, False, now), 31)
supervisor.loosen()
assert WDT.made == [60_000, 600_000]
""")


HANG = """
import asyncio, sys
import machine
from doll import supervisor
from doll.supervisor import HEAR, LINK, SPEAK, Supervisor
import time

async def task(seen, i, hangs):
    n = 0
    while n < 30 or not hangs:
        n += 1
        seen[i] = 1
        await asyncio.sleep_ms(2)
    await asyncio.sleep_ms(1_000_000)

async def main(which):
    s = Supervisor(True, False, time.ticks_ms())
    for i in range(3):
        asyncio.create_task(task(s.seen, i, i == which))
    pin = machine.Pin(0, machine.Pin.IN)
    for _ in range(400):
        s.tick(time.ticks_ms(), True)
        pin()
        await asyncio.sleep_ms(5)

asyncio.run(main(int(sys.argv[1])))
print("ran to its end")
"""


@pytest.mark.parametrize("which", [0, 1, 2, 9], ids=["hear", "speak", "link", "none"])
def test_on_the_board_a_task_that_stops_is_a_reset_by_the_watchdog(
    tmp_path: Path, which: int
) -> None:
    """In a thousandth of the time: its limits are in the source, in milliseconds."""
    doll = tmp_path / "firmware" / "doll"
    doll.mkdir(parents=True)
    source = (FIRMWARE / "doll" / "supervisor.py").read_text()
    for long, short in {
        "_WDT_AFTER_MS = const(30_000)": "_WDT_AFTER_MS = const(30)",
        "_WDT_MS = const(60_000)": "_WDT_MS = const(200)",
        "_PATIENCE_MS = (10_000, 10_000, 400_000)": "_PATIENCE_MS = (300, 300, 400)",
    }.items():
        assert source.count(long) == 1, long
        source = source.replace(long, short)
    (doll / "supervisor.py").write_text(source)
    (doll / "__init__.py").write_text("")
    (doll / "log.py").write_text((FIRMWARE / "doll" / "log.py").read_text())
    (tmp_path / "script.py").write_text(HANG)
    board = FIRMWARE.parent / "tools" / "simulator" / "board"
    result = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "script.py", str(which)],
        cwd=tmp_path,
        env={"MICROPYPATH": f"{board}:{tmp_path / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if which == 9:
        assert (result.returncode, "ran to its end" in result.stdout) == (0, True), result
    else:
        assert result.returncode == 4, result  # what the simulated chip calls a watchdog's reset
        assert '"event": "watchdog"' in result.stdout
