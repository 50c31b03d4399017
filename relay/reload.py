"""SIGHUP of a relay that is one process: it parts from its dolls, and begins anew as the same one.

Several workers have a parent that replaces them (`relay.cluster.supervisor`).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import structlog


class Reload:
    """Begins the program anew, with the settings that its files hold then, once it has ended.

    The process stays the same one, so whoever started it (systemd) sees no end. A relay that was
    started in a terminal only ends: what sends SIGHUP there is the terminal that is closed.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        """`end` makes the relay stop serving; it is called from a signal handler."""
        self._end = end
        self._anew = False
        number = getattr(signal, "SIGHUP", None)  # Windows has none
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, self._asked)

    def _asked(self, *_: object) -> None:
        self._anew = sys.stdin is None or not sys.stdin.isatty()
        self._end()

    def begin_anew(self) -> None:
        """Do not return, if that was asked for. The relay must have ended."""
        if not self._anew:
            return
        structlog.get_logger().info("begins anew", why="SIGHUP")
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 (itself)
