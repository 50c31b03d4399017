"""A time for the ledger that no step of the wall clock can hurry.

The wall clock of a relay is set when the network comes up, is corrected, and may be wrong at first
(a Raspberry Pi has no clock of its own). A window of sixty seconds must last sixty real seconds
all the same. So a ledger has its own time, in seconds since it was begun: it moves with the
machine's steady clock, and keeps a mark of where each machine's steady clock met it. Where there
is no mark (a reboot, another machine on the same Redis), the shared wall clock says how much time
went by, but never more than this machine has been up: after a reboot of the one machine that has
the ledger, that cannot be too much. Wherever time is in doubt, less has passed rather than more.

The one trust that is left: a second machine's first look at a ledger believes the Redis server's
clock.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relay.quota import calendar
from relay.quota.state import Mark, State

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STEP_S = 60.0  # two clocks that differ by less have not been stepped, only drifted
_MARKS = 8
_DAYS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks."""

    origin: str  #: which machine, and which start of it: what `steady` may be compared with
    steady: float  #: seconds since that start; only ever grows
    wall: float  #: Unix time


Clock = Callable[[], Reading]


def system_clock() -> Reading:
    """This machine's clocks."""
    return Reading(_ORIGIN, _steady(), time.time())


def bring_to(state: State, reading: Reading) -> bool:
    """Let the ledger's time, and its day, go on to a reading of the clocks.

    Returns whether its clock is new to the ledger. Its mark is then worth storing even if nothing
    else is: where the wall clock is behind, time goes on only from the mark.
    """
    is_new = bool(state.marks)
    mark = state.marks.pop(reading.origin, None)
    if mark is not None and reading.steady >= mark.steady:
        now = mark.time + reading.steady - mark.steady
        is_new = False
    else:
        mark = None
        now = state.time + min(reading.wall - state.wall, reading.steady)
    now = max(now, state.time)
    _turn_page(state, reading.wall, None if mark is None else now - state.time)
    state.time, state.wall = now, reading.wall
    state.marks[reading.origin] = Mark(reading.steady, now)
    for origin in list(state.marks)[:-_MARKS]:
        del state.marks[origin]
    return is_new


def _turn_page(state: State, wall: float, elapsed: float | None) -> None:
    """Open the day of `wall`, with an allowance of its own if a midnight has really passed.

    A date that only a step of the clock brought, forward or back, brings none: what was used stays
    used. `elapsed` is the time since the last change by a steady clock; None where the machine was
    off or another one, and the wall clock is all there is.
    """
    page = calendar.day_of(wall).isoformat()
    if state.day == page:
        return
    carried = 0
    if state.day:
        forward = page > state.day
        if elapsed is not None and forward:
            unstepped = calendar.day_of(state.wall + elapsed + _STEP_S)
            forward = unstepped.isoformat() > state.day
        carried = 0 if forward else max(state.days.values(), default=0)
    used = max(state.days.pop(page, 0), carried)
    state.day = page
    state.days[page] = used
    for old in list(state.days)[:-_DAYS]:
        del state.days[old]


def _origin() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # no Linux: a reboot is seen by a steady clock that went back
        return f"host {platform.node()}"


def _steady() -> float:
    # Asleep, a laptop's time goes on; the usual monotonic clocks of Linux and macOS stand still.
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


_ORIGIN = _origin()
_CLOCK: int | None = getattr(
    time,
    "CLOCK_BOOTTIME",
    getattr(time, "CLOCK_MONOTONIC", None) if platform.system() == "Darwin" else None,
)
