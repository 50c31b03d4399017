# MicroPython's time on a clock that only a test moves: sleeping takes no time.

import sys

_path = sys.path[:]
sys.path[:] = []  # an empty path makes import find the built-in
import time as _time  # noqa: E402

gmtime = _time.gmtime
mktime = _time.mktime
ticks_add = _time.ticks_add
ticks_diff = _time.ticks_diff
sys.path[:] = _path

_now_us = 0


def ticks_us():
    return _now_us


def ticks_ms():
    return _now_us // 1000


def time():
    return 800_000_000 + _now_us // 1_000_000


def sleep_us(us):
    global _now_us
    _now_us += us


def sleep_ms(ms):
    sleep_us(ms * 1000)
