# The simulator's side channel: what a person does to the board, and what he notices of it.
#
# Commands are lines of JSON on stdin, {"cmd": "press"}. They are read only if SIM_CONTROL is set,
# so that a script under test may keep its stdin. Events are lines on stdout that begin with "@sim "
# and go on with one JSON object; t_ms counts from the start of the board.
#
# There is no thread and no task: the simulated hardware calls poll() wherever a firmware comes by
# every few milliseconds. The firmware's proof that a frame costs no heap runs on this code, so
# nothing here allocates between commands, and the commands and events that fall into the middle of
# a turn (press, release, tap, start, the light, the end of a WAV) never do.
#
# The environment says what the board is like: SIM_CONTROL (stdin takes commands), SIM_BUTTON_PIN
# and SIM_BUTTON_PRESSED (its level), SIM_MIC (a WAV that is heard from the start), SIM_MIC_SLOT
# (right, for a microphone that speaks there), SIM_NOISE and SIM_SEED (the room's hiss), SIM_SPEAKER
# (a file for the samples that are played), SIM_I2S_PORTS (1 for a chip that has one), SIM_WIFI,
# SIM_WIFI_SSID, SIM_WIFI_PASSWORD and SIM_WIFI_MS, SIM_SETUP_PORTS (those that stand in for 80 and
# 53 of the board's own network), SIM_UNIQUE_ID, SIM_RESET_CAUSE, and SIM_STATE (the folder
# of NVS and RTC memory).

import json
import os
import select
import sys
import time
from micropython import const

_POLL_US = const(4000)
_LINE = const(1024)  # the longest command
_TIMERS = const(4)

_began = time.ticks_us()
_next = _began
_line = bytearray(_LINE)
_filled = 0
_quick = {}  # name: (the whole line as bytes, handler without arguments)
_handlers = {}
_ticks = []
_due = [0] * _TIMERS
_waiting = [None] * _TIMERS
_input = None
if os.getenv("SIM_CONTROL"):
    _input = select.poll()
    _input.register(sys.stdin, select.POLLIN)


def now_ms():
    return time.ticks_diff(time.ticks_us(), _began) // 1000


# An event that holds only numbers. Its line is made once, each run of # is a number's place, and
# telling it writes digits into the line: JSON does not mind the spaces before them.
class Event:
    def __init__(self, template):
        line = '@sim {%s,"t_ms":##########}\n' % template
        self._places = []
        end = 0
        while "#" in line[end:]:
            start = end + line[end:].index("#")
            end = start
            while line[end] == "#":
                end += 1
            self._places.append((start, end))
        self._line = bytearray(line.encode())

    def put(self, place, value):
        start, at = self._places[place]
        while at > start:
            at -= 1
            # Bytes over 32 are digits; what is left of the number is filled with spaces.
            self._line[at] = 48 + value % 10 if value or at == self._places[place][1] - 1 else 32
            value //= 10

    def tell(self):
        self.put(len(self._places) - 1, now_ms())
        sys.stdout.buffer.write(self._line)


# Any other event. This one uses the heap.
def tell(event, **fields):
    fields["event"] = event
    fields["t_ms"] = now_ms()
    print("@sim " + json.dumps(fields))


# Calls handler(command) for {"cmd": name, ...}.
def on(name, handler):
    _handlers[name] = handler


# Calls handler() for exactly {"cmd": "name"}, without touching the heap.
def on_quick(name, handler):
    _quick[name] = (('{"cmd":"%s"}' % name).encode(), handler)
    _handlers[name] = lambda command: handler()


# Has tick() called at every poll.
def every(tick):
    _ticks.append(tick)


# Calls handler() once, after at least ms; at most a few can wait.
def after(ms, handler):
    for i in range(_TIMERS):
        if _waiting[i] is None:
            _due[i] = time.ticks_us() + ms * 1000
            _waiting[i] = handler
            return
    tell("error", message="too many things are waiting to happen")


def poll():
    global _next
    now = time.ticks_us()
    if time.ticks_diff(_next, now) > 0:
        return
    _next = now + _POLL_US
    for i in range(_TIMERS):
        if _waiting[i] is not None and time.ticks_diff(now, _due[i]) >= 0:
            handler = _waiting[i]
            _waiting[i] = None
            handler()
    for tick in _ticks:
        tick()
    if _input is not None and _readable():
        _read()


def _readable():
    for _ in _input.ipoll(0):
        return True
    return False


# One byte at a time: what waits behind the line stays in the pipe, and nobody has to cut a buffer.
def _read():
    global _filled
    while True:
        if not sys.stdin.buffer.readinto(_byte):
            sys.exit(0)  # who held the other end has gone
        if _byte[0] == 10:
            break
        if _filled < _LINE:
            _line[_filled] = _byte[0]
        _filled += 1
    size = _filled
    _filled = 0
    for name in _quick:
        line, handler = _quick[name]
        if size == len(line) and _same(_line, line, size):
            handler()
            return
    _obey(size)


_byte = bytearray(1)


def _same(a, b, n):
    for i in range(n):
        if a[i] != b[i]:
            return False
    return True


def _obey(size):
    if size > _LINE:
        tell("error", message="a command is longer than %d bytes" % _LINE)
        return
    try:
        command = json.loads(str(_line[:size], "utf-8"))
        handler = _handlers[command["cmd"]]
    except (ValueError, TypeError, KeyError) as e:
        tell("error", message="no such command: %r" % e)
        return
    try:
        handler(command)
    except (OSError, ValueError, KeyError, TypeError) as e:
        tell("error", message="%s: %s" % (command["cmd"], e))


def _quit():
    sys.exit(0)


on_quick("quit", _quit)
