# The speaker: ADPCM frames of 260 bytes (32 ms) in, through a jitter buffer, to an I2S amplifier.
# step() moves one DMA buffer and never waits; nothing takes heap once it is made.

import time

from micropython import RingIO, const

from . import adpcm, dsp
from .audio import FRAME_MS, UNIT, UNIT_MS
from .frames import copy

_SAMPLES = const(512)
_FRAME = const(260)
# Frames that wait to be played, 1.3 s: twice what the relay is ahead. More would wait in TCP.
_DOWNLINK = const(40)

NOTHING = const(0)
STARTED = const(1)  # the first samples of a reply were taken by the amplifier
UNDERRUN = const(2)  # it ran dry in mid-reply
DRAINED = const(3)  # the last sample of a reply was played

_IDLE = const(0)
_FILLING = const(1)
_PLAYING = const(2)


# Plays replies through a jitter buffer. It is the sink of the link's binary messages: write()
# takes the bytes of a message as they come, end() says that it was the last of it.
class Speaker:
    # claim() is called before a reply, where the microphone uses the same I2S.
    def __init__(self, i2s, buffer_ms=128, volume=100, claim=None):
        self._i2s = i2s
        self._claim = claim
        self._fill_frames = min(max(1, buffer_ms // FRAME_MS), _DOWNLINK)
        self._in = bytearray(_FRAME)
        self._size = 0  # bytes of the message that is coming in
        self._ring = RingIO(_DOWNLINK * _FRAME)
        self._frame = bytearray(_FRAME)
        self._pcm = bytearray(2 * _SAMPLES)
        view = memoryview(self._pcm)
        self._units = (view[: 2 * UNIT], view[2 * UNIT :])
        self._rest = None  # of a unit that the driver took in part
        self._next = 2  # the unit to write next; 2 when none is left
        self._state = _IDLE
        self._accepts = False
        self._started = False
        self._dry = 0  # ticks_ms when the driver's buffers will have run dry
        self.event = NOTHING  # what step() found; the caller sets it back
        self.played = 0  # frames of this reply that were played
        self.lost = 0  # frames of this reply that were no frames
        self.underruns = 0
        self.set_volume(volume)

    # 0-100. The square is nearer to what an ear calls half as loud.
    def set_volume(self, volume):
        self.volume = volume
        self._gain = volume * volume * 256 // 10_000

    # A reply begins: what was left of the last one is thrown away.
    def begin(self):
        self.flush()
        if self._claim:
            self._claim()
        self._accepts = True
        self._state = _FILLING
        self._started = False
        self.event = NOTHING
        self.played = self.lost = self.underruns = 0

    # No more will come: what is here is played, and then event is DRAINED. False if that was
    # known.
    def finish(self):
        accepted = self._accepts
        self._accepts = False
        return accepted

    # Silence, at once: what the driver has already taken lasts at most 128 ms more. False if no
    # more was to come anyway.
    def flush(self):
        accepted = self._accepts
        self._accepts = False
        self._state = _IDLE
        self._next = 2
        self._rest = None
        while self._ring.any():
            self._ring.readinto(self._frame)
        return accepted

    # Whether more of the reply is to come.
    def is_open(self):
        return self._accepts

    # Whether it plays, or is about to: not while it waits for its buffer to fill.
    def is_playing(self):
        return self._state == _PLAYING

    # Whether there is no reply to play, and none to wait for.
    def is_idle(self):
        return self._state == _IDLE

    # Plays a DMA buffer of samples of the doll's own. False if there is no room for it yet. Only
    # while the speaker is idle.
    def play(self, unit):
        if self._claim:
            self._claim()
        return self._i2s.write(unit) > 0

    # Takes n bytes at buf[off:] of a message, or none while there is no room for a whole frame:
    # then the link stops reading, and TCP slows the relay down.
    def write(self, buf, off, n):
        if self._accepts:
            if not self._size and self._ring.any() > (_DOWNLINK - 1) * _FRAME:
                return 0
            k = _FRAME - self._size
            if k > n:
                k = n
            if k > 0:
                copy(self._in, self._size, buf, off, k)
        self._size += n
        return n

    # The message has ended. One that was not wanted is no loss.
    def end(self):
        size = self._size
        self._size = 0
        if not self._accepts:
            return
        if size == _FRAME:
            self._ring.write(self._in)
        else:
            self.lost += 1

    # The link has broken: the message that was coming in will not end.
    def tear(self):
        self._size = 0

    # Moves what can be moved, at most one DMA buffer. False if there is nothing to do yet.
    def step(self):
        if self._state == _IDLE:
            return False
        if self._next < 2:
            return self._write()
        waiting = self._ring.any()
        if self._state == _FILLING:
            if self._accepts and waiting < self._fill_frames * _FRAME:
                return False
            self._state = _PLAYING
            # The driver begins with the next DMA buffer, up to one buffer from now.
            self._dry = time.ticks_add(time.ticks_ms(), UNIT_MS)
        if waiting:
            self._ring.readinto(self._frame)
            if adpcm.decode(self._frame, self._pcm):
                dsp.volume(self._pcm, _SAMPLES, self._gain)
                self._next = 0
            else:
                self.lost += 1
            return True
        if time.ticks_diff(self._dry, time.ticks_ms()) > 0:
            return False
        if self._accepts:
            self.underruns += 1
            self._state = _FILLING
            self.event = UNDERRUN
        else:
            self._state = _IDLE
            self.event = DRAINED
        return True

    # Gives the driver one unit, or the rest of one.
    def _write(self):
        unit = self._rest or self._units[self._next]
        n = self._i2s.write(unit)
        if n <= 0:
            return False
        if n < len(unit):  # not seen yet: DMA buffers are taken whole
            self._rest = unit[n:]
            return True
        self._rest = None
        now = time.ticks_ms()
        if time.ticks_diff(self._dry, now) < 0:
            self._dry = now
        self._dry = time.ticks_add(self._dry, UNIT_MS)
        self._next += 1
        if self._next == 2:
            self.played += 1
        if not self._started:
            self._started = True
            self.event = STARTED
        return True
