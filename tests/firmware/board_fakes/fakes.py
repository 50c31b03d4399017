# What stands in for the outside in the firmware's unit tests; runs on MicroPython.

import time

from doll import adpcm


# A clock that only the test moves.
class Clock:
    def __init__(self, now=1000):
        self.now = now

    def ticks_ms(self):
        return self.now

    ticks_add = staticmethod(time.ticks_add)
    ticks_diff = staticmethod(time.ticks_diff)


# An amplifier with DMA buffers of 256 samples that plays as the clock goes on.
class Amplifier:
    def __init__(self, clock, buffers=8):
        self.clock = clock
        self.room = buffers
        self.buffers = buffers
        self.taken = bytearray()
        self.part = 0  # bytes of the next write that are taken, 0 for all

    def write(self, buf):
        if not self.room:
            return 0
        n = self.part or len(buf)
        self.part = 0
        self.taken += buf[:n]
        self.room -= 1
        return n

    # Time passes, 16 ms for each buffer.
    def play(self, buffers=1):
        self.clock.now += 16 * buffers
        self.room = min(self.buffers, self.room + buffers)


# A microphone whose words the test puts in: 16-bit samples, in the upper half of 32 bits.
class Words:
    def __init__(self):
        self.waiting = bytearray()

    def put(self, samples):
        for s in samples:
            self.waiting += (s << 16 & 0xFFFFFFFF).to_bytes(4, "little")

    def readinto(self, buf):
        n = min(len(buf), len(self.waiting))
        buf[:n] = self.waiting[:n]
        self.waiting = self.waiting[n:]
        return n


# Frames of a constant, as the wire carries them: the value can be told from the header.
def frame(value):
    state = adpcm.new_state()
    state[0] = value & 0xFFFF
    out = bytearray(adpcm.FRAME_BYTES)
    adpcm.encode(bytes(value.to_bytes(2, "little")) * adpcm.FRAME_SAMPLES, out, state)
    return out
