"""Clocks for the quota that a test moves."""

from __future__ import annotations

import asyncio

from relay.quota.clock import Clock, Reading

#: Monday 2026-11-23 10:00 in California, 03:00 the next day in Korea.
MONDAY = 1795456800.0


class ManualClock:
    """Clocks that stand until a test moves them."""

    def __init__(self, wall: float = MONDAY, origin: str = "boot 1", steady: float = 1000.0):
        self.wall = wall
        self.origin = origin
        self.steady = steady

    def pass_(self, seconds: float) -> None:
        """Let real time go by."""
        self.wall += seconds
        self.steady += seconds

    def reboot(self, uptime: float, wall: float | None = None) -> None:
        """Another start of the machine, `uptime` seconds ago."""
        self.origin += "'"
        self.steady = uptime
        self.wall = self.wall if wall is None else wall

    def __call__(self) -> Reading:
        return Reading(self.origin, self.steady, self.wall)


def loop_clock(wall: float = MONDAY) -> Clock:
    """The clock of virtual time: `wall` when the loop starts."""
    now = asyncio.get_running_loop().time
    return lambda: Reading("loop", now(), wall + now())
