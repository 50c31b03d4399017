# What a long hold of the button means while the doll has no link: let go after three seconds it
# opens the setup, held for ten it resets the doll to factory settings. Sans-I/O.
#
# Not at power-on: on most boards the button is the BOOT button, and a chip that finds it down then
# waits for a new image instead of starting.

import time

from micropython import const

from .button import PRESS, RELEASE, TAP

NOTHING = const(0)
SOON = const(1)  # three seconds: let go now and the setup opens
SETUP = const(2)  # let go after that
RESET = const(3)  # ten seconds

_SETUP_MS = const(3000)
_RESET_MS = const(10_000)


class Hold:
    def __init__(self):
        self._since = None  # of a press that counts
        self._seen = NOTHING

    # Takes what button.poll() returned, and whether a press counts now; what begins while it
    # counts goes on to count. No heap.
    def poll(self, event, counts, now):
        if event == PRESS:
            self._since = now if counts else None
            self._seen = NOTHING
        if self._since is None:
            return NOTHING
        if event in (TAP, RELEASE):
            self._since = None
            return SETUP if self._seen == SOON else NOTHING
        age = time.ticks_diff(now, self._since)
        if self._seen == SOON and age >= _RESET_MS:
            self._since = None
            return RESET
        if self._seen == NOTHING and age >= _SETUP_MS:
            self._seen = SOON
            return SOON
        return NOTHING
