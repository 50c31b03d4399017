# What the simulated microphone hears: a WAV when one is played to it, else the quiet of a room.

import os
import struct
import vfs
from array import array
from micropython import const

import sim

_BLOCK = const(256)

# Files of this machine, even once a board's flash is mounted over /.
host = vfs.VfsPosix("/")


def full_path(name):
    return name if name.startswith("/") else os.getcwd() + "/" + name


class Microphone:
    # noise is the highest sample of the room's hiss: 20 of 32767 is about -72 dBFS, 0 is silence.
    # The same seed gives the same hiss.
    def __init__(self, rate, noise=20, seed=1):
        self.rate = rate
        self.block = bytearray(2 * _BLOCK)  # what hear() filled
        self._noise = noise
        self._state = array("i", [seed & 0x3FFFFFFF])
        self._file = None
        self._left = 0  # bytes of the WAV that are still to be heard
        self._wait = -1  # samples until the WAV begins; -1: not before start()
        self._done = sim.Event('"event":"mic_done"')

    # Opens a WAV, which begins to be heard with start().
    def load(self, name):
        file = host.open(full_path(name), "rb")
        try:
            self._left = _find_samples(file, self.rate)
        except ValueError:
            file.close()
            raise
        if self._file:
            self._file.close()
        self._file = file
        self._wait = -1

    # The WAV begins after so many more samples.
    def start(self, wait):
        if self._file is None:
            raise ValueError("no WAV is loaded")
        self._wait = wait

    # Puts the next n samples, at most 256, into block.
    def hear(self, n):
        at = 0
        if self._wait < 0:
            at = n
        elif self._wait > 0:
            at = min(n, self._wait)
            self._wait -= at
        if at:
            _hiss(self.block, at, self._state, self._noise)
        if at == n:
            return
        # Only a file without samples before it can be read straight into the block.
        size = min(2 * (n - at), self._left)
        if at:
            got = self._file.readinto(_spare, size) or 0
            _copy(_spare, self.block, at, got // 2)
        else:
            got = self._file.readinto(self.block, size) or 0
        self._left -= got
        at += got // 2
        if not got or not self._left:
            self._file.close()
            self._file = None
            self._wait = -1
            self._done.tell()
        while at < n:
            # A few samples of zero at the WAV's end, then the room again.
            self.block[2 * at] = 0
            self.block[2 * at + 1] = 0
            at += 1


_spare = bytearray(2 * _BLOCK)
_current = None


# The microphone, for a receiver of so many samples a second. It outlives the receiver: the world
# does not begin anew when a firmware gives its I2S another direction.
def at(rate):
    global _current
    if _current is None or _current.rate != rate:
        _current = Microphone(
            rate, int(os.getenv("SIM_NOISE") or 20), int(os.getenv("SIM_SEED") or 1)
        )
        if os.getenv("SIM_MIC"):
            _current.load(os.getenv("SIM_MIC"))
            _current.start(0)
    return _current


def current():
    if _current is None:
        raise ValueError("no microphone is open")
    return _current


@micropython.viper
def _copy(source, target, at: int, n: int):
    s = ptr16(source)
    t = ptr16(target)
    for i in range(n):
        t[at + i] = s[i]


# White noise with a triangular distribution: the difference of two draws of a 30-bit LCG. The
# state keeps under 30 bits, so that a 32-bit load cannot tell it from a negative number.
@micropython.viper
def _hiss(block, n: int, state, peak: int):
    t = ptr16(block)
    s = ptr32(state)
    x = s[0]
    for i in range(n):
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
        a = (x >> 14) & 0xFFFF
        x = (x * 1103515245 + 12345) & 0x3FFFFFFF
        t[i] = ((a - ((x >> 14) & 0xFFFF)) * peak) >> 16
    s[0] = x


# Walks the chunks of a WAV to its samples, and says how many bytes of them there are.
def _find_samples(file, rate):
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise ValueError("this is no WAV file")
    known = False
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("this WAV file holds no samples")
        size = struct.unpack("<I", head[4:])[0]
        if head[:4] == b"data":
            if not known:
                raise ValueError("this WAV file does not say its format")
            return size & ~1
        if head[:4] == b"fmt ":
            kind, channels, at, _, _, bits = struct.unpack("<HHIIHH", file.read(16))
            if (kind, channels, at, bits) != (1, 1, rate, 16):
                raise ValueError("the microphone takes 16-bit mono WAV files of %d Hz" % rate)
            known = True
            size -= 16
        file.seek(size + (size & 1), 1)
