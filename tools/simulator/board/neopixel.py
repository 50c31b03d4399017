# NeoPixels of the simulated board: a change of the first one's colour is told as an event.

import time

import sim

_QUIET_MS = 100  # a light that breathes is told ten times a second, its last colour always

_event = sim.Event('"event":"light","rgb":[###,###,###]')
_shown = None  # the NeoPixel that was written last
_told = bytearray(b"\0\0\0")
_told_at = 0


class NeoPixel:
    ORDER = (1, 0, 2, 3)  # the chips take green first

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        self._wire = bytearray(3)  # what the first one was last sent: red, green, blue

    def __len__(self):
        return self.n

    def __setitem__(self, i, colour):
        for c in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[c]] = colour[c]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[c]] for c in range(self.bpp))

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour

    def write(self):
        global _shown
        for c in range(3):
            self._wire[c] = self.buf[self.ORDER[c]]
        _shown = self
        _tick()
        sim.poll()


def _tick():
    global _told_at
    if _shown is None or time.ticks_diff(time.ticks_ms(), _told_at) < _QUIET_MS:
        return
    wire = _shown._wire
    if wire[0] == _told[0] and wire[1] == _told[1] and wire[2] == _told[2]:
        return
    for c in range(3):
        _told[c] = wire[c]
        _event.put(c, wire[c])
    _told_at = time.ticks_ms()
    _event.tell()


sim.every(_tick)
