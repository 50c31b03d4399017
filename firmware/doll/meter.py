# Measures the heap that streaming takes. A stretch of streaming lies between run() and rest();
# what allocates by its nature (messages, log lines, the button) is done between rest() and run().
#
# gc.mem_alloc() walks the whole heap, a few milliseconds on a board: twice per message, never per
# frame.

import gc


class Meter:
    def __init__(self):
        self.reset()

    # Forgets everything; run() begins anew.
    def reset(self):
        self._mark = -1
        self._bytes = 0
        self._known = True

    def run(self):
        self._mark = gc.mem_alloc()

    def rest(self):
        if self._mark < 0:
            return
        grown = gc.mem_alloc() - self._mark
        self._mark = -1
        if grown < 0:  # a collection came in between
            self._known = False
        else:
            self._bytes += grown

    # Bytes per frame, rounded up, since reset(); -1 if a collection made it unknowable.
    def per_frame(self, frames):
        return -(-self._bytes // max(frames, 1)) if self._known else -1
