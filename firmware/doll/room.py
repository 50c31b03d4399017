# What a lack of memory leads to. One is not much: what wanted the memory is given up, and the turn
# with it. Where it lacks again and again the heap lies in pieces that no collection mends, and a
# new start does: room.lacks is set then, and app.py restarts when nobody would notice.
#
# Each such start waits longer than the one before, or a firmware that is too large for its board
# would do nothing else.

import gc
import time

from micropython import const

from . import log

_OFTEN = const(3)  # times in ten minutes
_SPAN_MS = const(600_000)
_PIECE = const(1024)  # bytes that there must be in one piece: the longest message's parts
_FIRST_S = const(60)
_LONGEST = const(5)  # doublings, twice each: 17 hours


class Room:
    # restarts is how many there were for want of room since the doll was plugged in.
    def __init__(self, restarts):
        self._patience_s = _FIRST_S << 2 * min(restarts, _LONGEST)
        self._at = [0] * _OFTEN  # the last of them, round and round
        self._n = 0
        self.lacks = False

    # There was no memory at that place.
    def note(self, place, now):
        gc.collect()
        self._at[self._n % _OFTEN] = now
        self._n += 1
        oldest = self._at[self._n % _OFTEN]
        if self._n >= _OFTEN and time.ticks_diff(now, oldest) <= _SPAN_MS:
            self.lacks = True
        try:
            bytearray(_PIECE)
        except MemoryError:
            self.lacks = True
        try:
            log.warn("memory short at=%s n=%d free=%d", place, self._n, gc.mem_free())
        except MemoryError:
            pass  # not even for that

    # Whether to restart, as soon as it is quiet; seconds since the start. No heap.
    def is_due(self, seconds):
        return self.lacks and seconds >= self._patience_s
