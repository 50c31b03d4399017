# The microphone: 32-bit words of an I2S MEMS microphone in, ADPCM frames of 260 bytes (32 ms) out,
# in a RingIO that keeps the last moments before the button and what a slow network has not taken
# yet. step() moves one DMA buffer and never waits; nothing takes heap once it is made.

from micropython import RingIO, const

from . import adpcm, dsp
from .audio import UNIT

_SAMPLES = const(512)
_FRAME = const(260)

_SETTLING = const(4096)  # samples: a MEMS microphone gives garbage for its first quarter second
_PREROLL = const(10)  # frames kept from before the button, 320 ms: a first syllable is never lost
_UPLINK = const(32)  # frames that wait for a slow network, 1 s

_OFF = const(0)  # what is heard is thrown away
_READY = const(1)  # the last moments are kept
_OPEN = const(2)  # everything is kept, for the relay


class Microphone:
    # gain doubles the level so many times, up to 8; 0 is the upper half of the microphone's words.
    # claim() is called before it is needed, where the speaker uses the same I2S; True means that
    # the microphone stood still until now.
    def __init__(self, i2s, gain=0, claim=None):
        self._i2s = i2s
        self._claim = claim
        self._shift = 16 - gain
        self._words = bytearray(4 * UNIT)
        self._pcm = bytearray(2 * _SAMPLES)
        self._fill = 0  # samples in _pcm
        self._frame = bytearray(_FRAME)
        self._coder = adpcm.new_state()
        self._dc = dsp.new_state()
        self._ring = RingIO(_UPLINK * _FRAME)
        self._settling = _SETTLING
        self._mode = _READY
        self.level = 0  # mean magnitude of the last frame
        self.lost = 0  # frames, since open(), that the network was too slow for

    # Keeps the last moments from now on, and nothing of before.
    def ready(self):
        self._wake()
        self._clear()
        self._mode = _READY

    # Keeps everything from now on, and the last moments if ready() was called before.
    def open(self):
        self._wake()
        if self._mode == _OFF:
            self._clear()
        self._mode = _OPEN
        self.lost = 0

    # Keeps nothing more. What was kept can still be taken, the frame that has begun among it.
    def close(self):
        if self._mode == _OPEN and self._fill:
            rest = memoryview(self._pcm)[2 * self._fill :]
            dsp.volume(rest, _SAMPLES - self._fill, 0)
            self._keep()
        self._fill = 0
        self._mode = _OFF

    # The next frame to send, into buf (260 bytes). False if there is none.
    def take(self, buf):
        if self._ring.any() < _FRAME:
            return False
        self._ring.readinto(buf)
        return True

    # Takes in what was heard, at most one DMA buffer. False if there is nothing yet.
    def step(self):
        n = self._i2s.readinto(self._words) >> 2
        if n <= 0:
            return False
        if self._settling > 0:
            self._settling -= n
            return True
        i = 0
        while i < n:
            k = _SAMPLES - self._fill
            if k > n - i:
                k = n - i
            dsp.narrow(self._words, i, k, self._pcm, self._fill, self._shift)
            i += k
            self._fill += k
            if self._fill == _SAMPLES:
                self._keep()
        return True

    # Encodes the frame that is full and puts it in the ring; the oldest give way.
    def _keep(self):
        self._fill = 0
        self.level = dsp.remove_dc(self._pcm, _SAMPLES, self._dc)
        if self._mode == _OFF:
            return
        room = _UPLINK if self._mode == _OPEN else _PREROLL
        while self._ring.any() >= room * _FRAME:
            self._ring.readinto(self._frame)
            if self._mode == _OPEN:
                self.lost += 1
        adpcm.encode(self._pcm, self._frame, self._coder)
        self._ring.write(self._frame)

    def _wake(self):
        if self._claim and self._claim():
            self._settling = _SETTLING
            self._fill = 0

    def _clear(self):
        while self._ring.any():
            self._ring.readinto(self._frame)
