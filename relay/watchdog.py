"""Ends a relay that hangs, for whoever started it to start it again.

A parent does so for its workers (`relay.cluster.child`); a relay that is one process has nobody who
looks, and a service manager sees a process that lives. What has been seen to hang one: a thread
that finds no memory at its start dies before it says that it runs, and `Thread.start` waits for it
for ever.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from typing import Final

import structlog

from relay.cluster.child import HUNG_S

#: The exit status: EX_SOFTWARE of sysexits.h.
HUNG_STATUS: Final = 70

_LOOK_S: Final = 1.0


class Watchdog:
    """A thread that counts the seconds in which the event loop has said nothing.

    It counts its own looks: a process or a machine that was stopped for a while has not hung.
    """

    def __init__(self, looks: int = int(HUNG_S / _LOOK_S)) -> None:
        self._most = looks
        self._beats = 0
        self._over = threading.Event()

    def start(self) -> None:
        """Look from now on. What takes long before that is the models, once."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def beat(self) -> bool:
        """The loop goes round. To be called about once a second; always True."""
        self._beats += 1
        return True

    def end(self) -> None:
        """Look no more: the relay parts from its dolls, and whoever stops it has a limit."""
        self._over.set()

    def _watch(self) -> None:
        seen, silent = self._beats, 0
        while not self._over.wait(_LOOK_S):
            silent = silent + 1 if seen == self._beats else 0
            seen = self._beats
            if silent >= self._most:
                structlog.get_logger().critical("the relay hangs, and is ended", silent_s=silent)
                faulthandler.dump_traceback(sys.__stderr__ or 2)
                os._exit(HUNG_STATUS)
