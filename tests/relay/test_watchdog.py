"""A relay that hangs is ended; one that is slow, stopped for a while or about to end is not."""

from __future__ import annotations

import subprocess
import sys

from relay.watchdog import HUNG_STATUS

_START = """
import threading, time
import relay.watchdog
from relay.watchdog import Watchdog
relay.watchdog._LOOK_S = 0.02
dog = Watchdog(looks=50)
dog.start()
"""


def after(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _START + program],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_one_that_says_nothing_is_ended_and_tells_where_it_stood() -> None:
    ended = after("def the_place_where_it_hangs():\n  threading.Event().wait()\n"
                  "the_place_where_it_hangs()")  # fmt: skip
    assert ended.returncode == HUNG_STATUS
    assert "the relay hangs" in ended.stdout + ended.stderr
    assert "the_place_where_it_hangs" in ended.stderr


def test_one_that_goes_round_is_not() -> None:
    ended = after("for _ in range(120):\n  assert dog.beat()\n  time.sleep(0.02)")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_one_that_parts_from_its_dolls_has_its_own_limit() -> None:
    ended = after("dog.end()\ntime.sleep(1.5)")
    assert (ended.returncode, ended.stderr) == (0, "")
