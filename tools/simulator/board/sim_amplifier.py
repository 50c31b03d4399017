# The simulated amplifier: whatever drives it, what it plays is one stream from the moment it is
# first driven to the end of the board, so that a sample's place in the stream is its time. While no
# I2S drives it, it is silent.
#
# One thing is kinder than a real board: what an I2S has taken is played to its end, though the I2S
# was given another direction in the meantime.

import os
import time
from micropython import const

import sim
from sim_microphone import full_path, host

_FRAMES = const(256)

_silence = bytes(2048)
_current = None


class Amplifier:
    def __init__(self, rate, bits, channels):
        self.rate = rate
        self.bits = bits
        self.channels = channels
        self.began = time.ticks_us()
        self.frames = 0  # that it has been given: the place in the stream
        self.driver = None
        self._size = bits // 8 * channels
        self._out = host.open(full_path(os.getenv("SIM_SPEAKER") or "/dev/null"), "wb")
        sim.tell("speaker", rate=rate, bits=bits, channels=channels)

    # n frames of buf, from frame first.
    def play(self, buf, first, n):
        at = first * self._size
        end = at + n * self._size
        while at < end:
            at += self._out.write(buf, at, end - at)
        self.frames += n

    # n frames of silence.
    def rest(self, n):
        left = n * self._size
        while left:
            left -= self._out.write(_silence, min(left, len(_silence)))
        self.frames += n

    # Time passes, and nobody drives it.
    def wait(self):
        us = time.ticks_diff(time.ticks_us(), self.began)
        missing = (us * self.rate // (1000000 * _FRAMES) + 1) * _FRAMES - self.frames
        if missing > 0:
            self.rest(missing)


# The amplifier, from now on driven by this I2S.
def driven_by(i2s, rate, bits, channels):
    global _current
    a = _current
    if a is None or (a.rate, a.bits, a.channels) != (rate, bits, channels):
        a = _current = Amplifier(rate, bits, channels)
    a.driver = i2s
    a.wait()
    return a


# The I2S drives it no more.
def let_go(i2s):
    if _current is not None and _current.driver is i2s:
        _current.driver = None


# The clock goes on. No heap.
def tick():
    if _current is not None and _current.driver is None:
        _current.wait()
