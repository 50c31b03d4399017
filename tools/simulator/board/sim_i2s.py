# machine.I2S, modelled on ports/esp32/machine_i2s.c and on the driver under it
# (esp_driver_i2s/i2s_common.c): DMA buffers of 256 frames, filled and played by the clock whatever
# the firmware does; of n of them one is in the hands of the hardware and n - 1 can wait for the
# firmware; reads and writes block until the object is polled for the first time, and move what they
# can from then on; on an overrun the oldest buffer is lost, on an underrun silence is played, and
# neither is told to the firmware. The simulator counts both.
#
# Not modelled: irq() (its callback can be lost for good, so no firmware should use it), shift(),
# and the microphone's first 100-250 ms, which are garbage on a real board.

import io
import os
import time
from micropython import const

import sim
import sim_amplifier
import sim_microphone

_FRAMES = const(256)
_POLL = const(3)  # MP_STREAM_POLL
_EPERM = const(1)
_EINVAL = const(22)
_MOST_PORTS = const(3)  # the ESP32-P4 has three, the S3 two, the C3 one

# A 32-bit read of an INMP441 has 24 bits on the left, and speech in them is quiet. A WAV is heard
# 3 bits below full scale: with the firmware's usual gain of 3 doublings it arrives as it is.
_SHIFT = const(13)

# What a frame holds, as the firmware sees it: the microphone in the only slot, in the left of two,
# in the right of two, or (a mono receiver and a microphone in the right slot) nothing.
_STEREO = const(2)
_RIGHT = const(3)
_NOTHING = const(4)

_mic_start = sim.Event('"event":"mic_start"')


class I2S(io.IOBase):
    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1
    ports = {}

    def __init__(self, id, **settings):
        if not 0 <= id < int(os.getenv("SIM_I2S_PORTS") or 2):
            raise ValueError("invalid id")
        if id in I2S.ports:
            I2S.ports[id].deinit()
        self._id = id
        self.init(**settings)

    # Also called by a firmware, to give an object another direction.
    def init(self, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if mode not in (I2S.RX, I2S.TX):
            raise ValueError("invalid mode")
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        if format not in (I2S.MONO, I2S.STEREO):
            raise ValueError("invalid format")
        if ibuf <= 0:
            raise ValueError("invalid ibuf")
        if mode == I2S.RX:
            sim_amplifier.let_go(self)
        self.mode = mode
        self.rate = rate
        self._bits = bits
        self._channels = 1 + format
        self._size = bits // 8 * self._channels  # bytes of a frame, as the firmware sees it
        # The receiver's DMA frames are always two words of 32 bits.
        self._buffers = max(2, ibuf // (_FRAMES * (8 if mode == I2S.RX else self._size)))
        self._blocking = True
        self._ready = True  # what the DMA interrupt last said: worth trying
        self._seen = 0
        self._began = time.ticks_us()
        self._moved = 0  # frames taken, given or lost since then: the place in the stream
        self.losses = 0  # overruns or underruns: how often the firmware fell behind
        self.lost = 0  # buffers overwritten before they were read, or silent in mid-sound
        self._kept_up = False
        if mode == I2S.RX:
            self.microphone = sim_microphone.at(rate)
            self._slots = self._channels
            if os.getenv("SIM_MIC_SLOT") == "right":
                self._slots = _RIGHT if format == I2S.STEREO else _NOTHING
        else:
            self._amplifier = sim_amplifier.driven_by(self, rate, bits, self._channels)
            # The stream goes on from where it is.
            self._began = self._amplifier.began
            self._moved = self._amplifier.frames
        I2S.ports[self._id] = self

    # DMA buffers that the hardware has filled or played since the start.
    def _clock(self):
        n = time.ticks_diff(time.ticks_us(), self._began) * self.rate // (1000000 * _FRAMES)
        if n != self._seen:
            self._seen = n
            self._ready = True
        return n

    # Frames that can be read.
    def _waiting(self):
        n = self._clock() * _FRAMES - self._moved
        most = (self._buffers - 1) * _FRAMES
        if n > most:
            gone = n - most
            if self._kept_up:
                self._kept_up = False
                self.losses += 1
            self.lost += (gone + _FRAMES - 1) // _FRAMES
            while gone:  # the world went on while nobody read
                step = min(gone, _FRAMES)
                self.microphone.hear(step)
                self._moved += step
                gone -= step
            n = most
        return n

    # Frames that can be written. What is written plays after the buffer that is on air.
    def _room(self):
        on_air = self._clock()
        missing = (on_air + 1) * _FRAMES - self._moved
        if missing > 0:
            if self._kept_up:
                self._kept_up = False
                self.losses += 1
                self.lost += (missing + _FRAMES - 1) // _FRAMES
            self._moved += missing
            self._amplifier.rest(missing)
        return (on_air + self._buffers) * _FRAMES - self._moved

    # How many of the wanted frames move now.
    def _count(self, wanted):
        while True:
            sim.poll()
            n = self._waiting() if self.mode == I2S.RX else self._room()
            if n >= wanted:
                return wanted
            if not self._blocking:
                self._ready = False
                return n
            if n > 0:
                return n  # a blocking call comes back for the rest
            time.sleep_ms(1)

    def readinto(self, buf):
        if self.mode != I2S.RX:
            raise OSError(_EPERM)
        total = len(buf) // self._size
        done = 0
        while done < total:
            n = min(self._count(total - done), _FRAMES)
            if not n:
                break
            self.microphone.hear(n)
            _lay_out(self.microphone.block, n, buf, done, self._bits == 32, self._slots)
            self._moved += n
            self._kept_up = True
            done += n
        return done * self._size

    def write(self, buf):
        if self.mode != I2S.TX:
            raise OSError(_EPERM)
        total = len(buf) // self._size
        done = 0
        while done < total:
            n = self._count(total - done)
            if not n:
                break
            self._amplifier.play(buf, done, n)
            self._moved += n
            self._kept_up = True
            done += n
        return done * self._size

    def ioctl(self, request, arg):
        if request != _POLL:
            return -_EINVAL
        if arg & (4 if self.mode == I2S.RX else 1):
            return -_EPERM
        self._blocking = False
        self._clock()
        return arg & 5 if self._ready else 0

    # The WAV that the microphone has loaded begins now: behind what the DMA buffers hold already.
    def start_wav(self):
        elapsed = time.ticks_diff(time.ticks_us(), self._began) * self.rate // 1000000
        self.microphone.start(max(0, elapsed - self._moved))
        _mic_start.tell()

    def deinit(self):
        I2S.ports.pop(self._id, None)
        sim_amplifier.let_go(self)


# Microphone samples, 16-bit mono, as the firmware asked for them. A microphone fills one slot, the
# other is at rest; a mono receiver takes the left one.
@micropython.viper
def _lay_out(block, n: int, buf, at: int, wide: int, slots: int):
    s = ptr16(block)
    step = 1
    if slots == _STEREO or slots == _RIGHT:
        step = 2
    for i in range(n):
        j = (at + i) * step
        v = (int(s[i]) ^ 0x8000) - 0x8000
        if slots == _NOTHING:
            v = 0
        other = 0
        if slots == _RIGHT:
            other = v
            v = 0
        if wide:
            w = ptr32(buf)
            w[j] = v << _SHIFT
            if step == 2:
                w[j + 1] = other << _SHIFT
        else:
            h = ptr16(buf)
            h[j] = v
            if step == 2:
                h[j + 1] = other


# A board with one I2S may hear nothing just now: what is played to it waits until it listens again.
def _receiver():
    for id in range(_MOST_PORTS):  # values() would be an object on the heap
        port = I2S.ports.get(id)
        if port is not None and port.mode == I2S.RX:
            return port
    return None


def _load(command):
    sim_microphone.current().load(command["wav"])


def _start():
    port = _receiver()
    if port is not None:
        port.start_wav()
    else:
        sim_microphone.current().start(0)
        _mic_start.tell()


def _play(command):
    _load(command)
    _start()


# The hardware's clock goes on while the firmware is busy with other things.
def _tick():
    for id in range(_MOST_PORTS):
        port = I2S.ports.get(id)
        if port is not None:
            port._waiting() if port.mode == I2S.RX else port._room()
    sim_amplifier.tick()


sim.every(_tick)
sim.on("load", _load)
sim.on_quick("start", _start)
sim.on("play", _play)
