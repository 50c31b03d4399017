# The doll's own sounds: short tones that say what happens when no reply can. They are made sample
# by sample as they are played, so they take neither flash nor heap.
#
# tick() sees the state change and chooses; step() plays while the speaker has nothing else.
# Sans-I/O but for the speaker.

import time

import micropython
from micropython import const

from .audio import UNIT

# A sound is pairs of a pitch and a length: Hz (0 is a rest) and DMA buffers of 16 ms.
_CONNECTED = (523, 6, 659, 6, 784, 9)
_LOST = (587, 8, 440, 12)
_ERROR = (220, 7, 0, 4, 220, 12)
_THINKING = (880, 3)

_LOUDNESS = const(6000)  # of 32767, at volume 100
_RATE = const(16_000)
_LOST_MS = const(3000)  # a link that is back before that was not missed
_THINK_MS = const(1500)  # of thinking, until the first tick; then one so often
_TAIL = const(8)  # ticks of 20 ms until the driver has played what it took
_SAID = ("listening", "speaking")


# Writes n samples of a sine into buf, as a parabola: its distortion of 4 % is no matter to a beep.
# phase and step are 16-bit fractions of a turn; the amplitude goes from a to b. Returns the phase
# after.
@micropython.viper
def tone(buf, n: int, phase: int, step: int, a: int, b: int) -> int:
    p = ptr16(buf)
    i = 0
    while i < n:
        x = (phase & 0x7FFF) >> 4  # half a turn, 11 bits
        y = (x * (2048 - x)) >> 5  # 0 to 32768
        y = (y * (a + ((b - a) * i) // n)) >> 15
        if phase & 0x8000:
            y = 0 - y
        p[i] = y & 0xFFFF
        phase = (phase + step) & 0xFFFF
        i += 1
    return phase


class Sounds:
    # speaker has is_idle() and play(unit), which returns whether it took the unit, and volume.
    # on_end() is called when a sound is over.
    def __init__(self, speaker, on, on_end, now):
        self._speaker = speaker
        self._on = on
        self._on_end = on_end
        self._unit = bytearray(2 * UNIT)
        self._ready = False  # _unit waits to be taken
        self._notes = ()
        self._note = 0  # index in _notes
        self._left = 0  # units of the note
        self._phase = 0
        self._fresh = False
        self._tail = 0  # ticks until on_end()
        self._state = "booting"
        self._since = now
        self._troubles = 0
        self._is_missed = True  # the link, and the person knows
        self._ticks = 0

    def error(self):
        self._play(_ERROR)

    # Sees what state the doll is in, and how many turns have come to nothing. No heap. Call it
    # every 20 ms.
    def tick(self, state, troubles, now):
        if state != self._state:
            self._changed(state)
            self._state = state
            self._since = now
            self._ticks = 0
        if troubles != self._troubles:
            self._troubles = troubles
            self._play(_ERROR)
        if self._tail:
            self._tail -= 1
            if not self._tail:
                self._on_end()
        age = time.ticks_diff(now, self._since)
        if state == "connecting":
            if not self._is_missed and age >= _LOST_MS:
                self._is_missed = True
                self._play(_LOST)
        elif state == "thinking" and age >= _THINK_MS * (self._ticks + 1):
            self._ticks += 1
            self._play(_THINKING)

    # Plays one DMA buffer, if there is something to play. False if nothing was to do.
    def step(self):
        if not self._ready:
            if not self._left and not self._next():
                return False
            self._make()
        if not self._speaker.is_idle():  # a reply has begun
            self._stop()
            return False
        if not self._speaker.play(self._unit):
            return False
        self._ready = False
        if not self._left and self._note >= len(self._notes):
            self._tail = _TAIL
        return True

    def _changed(self, state):
        if state in _SAID:
            self._stop()
        elif self._is_missed and state == "idle":
            self._is_missed = False
            self._play(_CONNECTED)

    def _play(self, notes):
        if self._on and self._speaker.is_idle() and self._state not in _SAID:
            self._stop()
            self._notes = notes

    def _stop(self):
        self._notes = ()
        self._note = self._left = self._tail = 0
        self._ready = False

    def _next(self):
        if self._note >= len(self._notes):
            self._notes = ()
            self._note = 0
            return False
        self._left = self._notes[self._note + 1]
        self._fresh = True
        self._note += 2
        return True

    # The next unit. A note swells and fades within a unit each, or it would click.
    def _make(self):
        volume = self._speaker.volume
        full = _LOUDNESS * volume * volume // 10_000
        a = 0 if self._fresh else full
        self._fresh = False
        self._left -= 1
        b = full if self._left else 0
        hz = self._notes[self._note - 2]
        step = hz * 65_536 // _RATE
        if not hz:
            a = b = 0
        self._phase = tone(self._unit, UNIT, 0 if not a else self._phase, step, a, b)
        self._ready = True
