"""When a worker that has died is started again. Sans-I/O; times are seconds of any clock."""

from __future__ import annotations

from typing import Final

#: A worker that has lasted for so long was a good one: the next starts at once.
GOOD_S: Final = 30.0

_FIRST_S, _MOST_S = 0.5, 30.0


class Backoff:
    """One for each place among the workers."""

    def __init__(self) -> None:
        self._wait_s = 0.0

    def after(self, lasted_s: float) -> float:
        """Seconds to wait before the next one, when the last has lasted for so long."""
        if lasted_s >= GOOD_S:
            self._wait_s = 0.0
        wait_s = self._wait_s
        self._wait_s = min(max(_FIRST_S, 2 * wait_s), _MOST_S)
        return wait_s
