# How long to wait before the next try: 1, 2, 4 … 30 s, each shortened at random by up to half, so
# that the dolls of a house do not come back all at once after a power cut.
#
# Where nobody is there, asking costs nobody anything, and who asks often is back soon: SOON is the
# most that a doll then waits. The long waits are for a relay that is there and says no.

import os

from micropython import const

_FIRST_MS = const(1000)
_LONGEST_MS = const(30_000)

SOON_MS = const(2000)


class Backoff:
    def __init__(self):
        self._ms = _FIRST_MS

    # The next wait in milliseconds. Somebody who is in a hurry waits at most so long, and does not
    # make the waits of others longer.
    def next(self, most=_LONGEST_MS):
        ms = self._ms
        if most < ms:
            ms = most
        else:
            self._ms = min(2 * ms, _LONGEST_MS)
        return ms - ms * os.urandom(1)[0] // 512

    # It went well: begin anew.
    def reset(self):
        self._ms = _FIRST_MS
