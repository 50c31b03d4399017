"""The doll's link with a socket, a microphone and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FAKES = Path(__file__).parents[1] / "board_fakes"

PRELUDE = """
import asyncio, json
from doll import hello, log
from doll import relay as module
from doll.meter import Meter
from doll.websocket import BINARY, PING, TEXT, Closed
from fakes import Clock

clock = module.time = Clock()
lines = []
log._line = lambda level, text: lines.append(text)

class Socket:
    HEAD = 8
    def __init__(self, rx, tx, text, limit):
        self.tx = bytearray(8 + tx)
        self.text = bytearray(text)
        self.length = 0
        self.last_rx = clock.now
        self.out = []
        self.stuck = False
    def begin(self, op, n):
        assert not self.stuck, "begin before flush was True"
        data = bytes(self.tx[8 : 8 + n])
        self.out.append(json.loads(data) if op == TEXT else op)
        return not self.stuck
    def flush(self):
        return not self.stuck
    def close(self, code=1000): pass

module.WebSocket = Socket

class Wifi:
    up = True
    def is_up(self): return self.up
    def rssi(self): return -50

class Microphone:
    waiting = 0
    lost = 3
    def take(self, buf):
        assert len(buf) == 260
        if not self.waiting:
            return False
        self.waiting -= 1
        return True

sent = []
wifi = Wifi()
microphone = Microphone()
r = module.Relay("ws://relay/", [], None, False, wifi, microphone, None, Meter())
r.on_sent = lambda: sent.append(r.frames_sent)
ws = r._ws
r._up = True
r._session = "s"

def pump():
    n = 0
    while r._step_out():
        n += 1
        assert n < 100

def shown():
    out = [m["type"] + ":" + m.get("state", "") if isinstance(m, dict) else m for m in ws.out]
    ws.out.clear()
    return out
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n', path=(FAKES,)) == "end\n"

    return run
