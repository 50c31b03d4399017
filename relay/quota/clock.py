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

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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
