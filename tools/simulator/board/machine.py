# The machine module of the simulated board: the built-in one, and what an ESP32 adds to it.

import os
import sys
import time

_path = sys.path[:]
sys.path[:] = []  # an empty path makes import find the built-in
from machine import *

sys.path[:] = _path
del _path

import sim
from sim_i2s import I2S

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

# How a board ends: the runner starts it again after these exit codes, as a reset would.
EXIT_RESET = 3
EXIT_WATCHDOG = 4


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    IRQ_LOW_LEVEL = 4
    IRQ_HIGH_LEVEL = 5
    _pins = {}
    _driven = {}  # levels that something outside of the board holds a pin at

    def __new__(cls, id, *args, **kwargs):
        pin = cls._pins.get(id)
        if pin is None:
            pin = cls._pins[id] = super().__new__(cls)
            pin.id = id
            pin._level = 0
            pin._handler = None
            pin._trigger = 0
        return pin

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if self.id in Pin._driven:
            self._level = Pin._driven[self.id]
        elif value is not None:
            self._level = int(bool(value))
        elif pull == Pin.PULL_UP:
            self._level = 1

    def value(self, level=None):
        sim.poll()
        if level is None:
            return self._level
        self._level = int(bool(level))

    __call__ = value

    def on(self):
        self._level = 1

    def off(self):
        self._level = 0

    def irq(self, handler=None, trigger=3, *, priority=1, wake=None, hard=False):
        self._handler = handler
        self._trigger = trigger


# Something outside of the board pulls a pin to a level.
def drive(id, level):
    Pin._driven[id] = level
    pin = Pin._pins.get(id)
    if pin is None:
        return
    before = pin._level
    pin._level = level
    edge = Pin.IRQ_RISING if level > before else Pin.IRQ_FALLING
    if pin._handler and level != before and pin._trigger & edge:
        pin._handler(pin)


# The button. A board says where it is: pin and the level while it is pressed.
_button = int(os.getenv("SIM_BUTTON_PIN") or 0)
_pressed = int(os.getenv("SIM_BUTTON_PRESSED") or 0)
_TAP_MS = 100


def _press():
    drive(_button, _pressed)


def _release():
    drive(_button, 1 - _pressed)


def _tap():
    _press()
    sim.after(_TAP_MS, _release)


_release()
sim.on_quick("press", _press)
sim.on_quick("release", _release)
sim.on_quick("tap", _tap)


# A light on one pin, for boards without a NeoPixel.
class PWM:
    def __init__(self, pin, *, freq=5000, duty_u16=0):
        self._freq = freq
        self._duty = duty_u16

    def freq(self, value=None):
        if value is None:
            return self._freq
        self._freq = value

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        self._duty = value

    def deinit(self):
        pass


# The task watchdog: it cannot be stopped, and it resets the board even if nobody feeds it again.
# There is one; making it a second time gives it another time limit.
class WDT:
    _timeout = None
    _fed = 0

    def __init__(self, id=0, timeout=5000):
        if WDT._timeout is None:
            sim.every(self._check)
        WDT._timeout = timeout
        WDT._fed = time.ticks_ms()

    def feed(self):
        sim.poll()
        self._check()
        WDT._fed = time.ticks_ms()

    def _check(self):
        if time.ticks_diff(time.ticks_ms(), WDT._fed) > WDT._timeout:
            sim.tell("watchdog", timeout_ms=WDT._timeout)
            sys.exit(EXIT_WATCHDOG)


# A timer of the chip. Its callback runs between two instructions of the program; here, wherever a
# program comes by the simulated hardware.
class Timer:
    ONE_SHOT = 0
    PERIODIC = 1
    _timers = {}

    def __new__(cls, id, **how):
        timer = cls._timers.get(id)
        if timer is None:
            if not 0 <= id < 4:
                raise ValueError("invalid Timer number")
            timer = cls._timers[id] = super().__new__(cls)
            timer._callback = None
            sim.every(timer._check)
        return timer

    def __init__(self, id, **how):
        if how:
            self.init(**how)

    def init(self, *, mode=PERIODIC, period=0xFFFFFFFF, callback=None):
        self._mode = mode
        self._period = period
        self._callback = callback
        self._due = time.ticks_add(time.ticks_ms(), period)

    def deinit(self):
        self._callback = None

    def _check(self):
        callback = self._callback
        if callback is None or time.ticks_diff(self._due, time.ticks_ms()) > 0:
            return
        if self._mode == Timer.ONE_SHOT:
            self._callback = None
        else:
            self._due = time.ticks_add(self._due, self._period)
        callback(self)


class RTC:
    _ahead = 0  # seconds that the board's clock was set ahead of this machine's

    def __init__(self, id=0):
        pass

    def datetime(self, value=None):
        if value is None:
            t = time.gmtime(time.time() + RTC._ahead)
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, _ = value
        RTC._ahead = time.mktime((year, month, day, hour, minute, second, 0, 0)) - time.time()

    init = datetime

    # Outlives a reset, not a power cut: the runner empties the folder when it starts a new board.
    def memory(self, data=None):
        name = (os.getenv("SIM_STATE") or ".") + "/rtc"
        if data is None:
            try:
                with open(name, "rb") as f:
                    return f.read()
            except OSError:
                return b""
        if len(data) > 2048:
            raise ValueError("buffer too long")
        with open(name, "wb") as f:
            f.write(data)


def reset():
    sys.exit(EXIT_RESET)


def reset_cause():
    return int(os.getenv("SIM_RESET_CAUSE") or PWRON_RESET)


def unique_id():
    return bytes.fromhex(os.getenv("SIM_UNIQUE_ID") or "246f28000001")


def freq(hz=None):
    return 240000000
