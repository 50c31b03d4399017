"""This machine's own clocks; what a ledger makes of them is in test_ledger_clocks."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise

from relay.quota.clock import system_clock


def test_the_steady_clock_only_goes_forward_and_the_wall_clock_is_unix_time() -> None:
    readings = [system_clock() for _ in range(100)]
    assert all(first.steady <= second.steady for first, second in pairwise(readings))
    assert len({reading.origin for reading in readings}) == 1
    assert abs(readings[-1].wall - time.time()) < 60


def test_all_processes_of_a_machine_read_the_same_steady_clock() -> None:
    before = system_clock()
    code = (
        "from relay.quota.clock import system_clock as c; r = c(); print(r.origin); print(r.steady)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    after = system_clock()
    assert printed[0] == before.origin
    assert before.steady <= float(printed[1]) <= after.steady
