"""What the relay's process takes of its machine."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MB = 1024 * 1024

#: Pages at several workers look independently of each other.
_APART_S = 0.25


@dataclass(frozen=True, slots=True)
class Load:
    """Of this process alone."""

    cpu_percent: float  #: of one core, since the look before: 200 is two cores
    memory_mb: float | None  #: resident; None where the system does not say
    cores: int
    up_s: int  #: since the first look


class LoadMeter:
    """Measures from one look to the next. A look costs some ten microseconds."""

    def __init__(self) -> None:
        self._began = self._then = time.monotonic()
        self._used = time.process_time()
        self._percent = 0.0

    def look(self) -> Load:
        """The load since the last look, if that is not too near to say anything."""
        now, used = time.monotonic(), time.process_time()
        passed = now - self._then
        if passed >= _APART_S:
            self._percent = 100 * (used - self._used) / passed
            self._then, self._used = now, used
        cores, up_s = os.cpu_count() or 1, int(now - self._began)
        return Load(round(self._percent, 1), _resident_mb(), cores, up_s)


def _resident_mb() -> float | None:
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / _MB, 1)
    except (OSError, IndexError, ValueError):
        pass
    if sys.platform == "darwin":  # the most that it ever had: near enough for a gauge
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB, 1)
    return None
