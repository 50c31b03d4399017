"""An update that a relay has made and signed, and a doll that it is offered to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from relay.devices.bundle import Bundle, pack
from relay.devices.updater import make_manifest, sign

Micropython = Callable[..., str]

FILES = {
    "doll/__init__.py": b'__version__ = "0.2.0"\n',
    "doll/start.py": b"def run():\n    pass\n",
    "doll/large.py": b"# filler\n" * 1500,
    "boards/mini.py": b'NAME = "mini"\n',
}

PRELUDE = """
import json, os, sys
import machine, esp32
from doll import log, slots, starts, update
from doll.update import Update

lines = []
log._line = lambda level, text: lines.append(level + " " + text)

class Restart(Exception):
    pass

def reset():
    raise Restart

machine.reset = reset

class Relay:
    sink = None
    quiet = True
    def __init__(self):
        self.said = []
    def send(self, message):
        self.said.append(message)
    def is_quiet(self):
        return self.quiet
    # What the doll asked for last, once.
    def asked(self):
        if self.said and self.said[-1]["state"] == "get":
            return self.said.pop()["offset"]

class Turn:
    state = "idle"
    def begin_update(self, now):
        if self.state != "idle":
            return False
        self.state = "updating"
        return True
    def end_update(self, now):
        self.state = "idle"

stream = open("stream", "rb").read()
offer = json.load(open("offer.json"))
relay = Relay()
turn = Turn()
doll = Update(relay, "doll-1", "t0ken", "mini", "newer")
now = 5000

def block(at, data=None):
    return bytes((0, 0, at >> 8, at & 255)) + (data or stream[at : at + 4000])

def give(message, step=1000):
    for i in range(0, len(message), step):
        assert relay.sink.write(message, i, min(step, len(message) - i))
    relay.sink.end()

# Lets time pass, and answers what is asked for; True if the doll has restarted.
def run(answer=block, ms=60000):
    global now
    try:
        for _ in range(ms // 20):
            doll.step(turn, now)
            now += 20
            at = relay.asked()
            if at is not None and answer:
                message = answer(at)
                if message:
                    give(message)
            if turn.state == "idle" and not doll.is_waiting():
                return False
    except Restart:
        return True
    return False

def whole():
    return slots.is_folder("app-a") or slots.is_folder("app-b")
"""


@pytest.fixture
def run(micropython: Micropython, tmp_path: Path) -> Callable[..., str]:
    """Runs a script with an offer that a relay has made, changed by `manifest`."""

    def run(
        script: str, *, files: dict[str, bytes] | None = None, token: str = "t0ken", **manifest: Any
    ) -> str:
        stream = pack((files or FILES).items())
        bundle = Bundle("0.2.0", "", "", len(files or FILES), stream)
        fields = json.loads(make_manifest(bundle, "doll-1", "n0nce"))
        text = json.dumps({**fields, **manifest})
        signature = sign(SecretStr(token), text)
        (tmp_path / "stream").write_bytes(stream)
        (tmp_path / "offer.json").write_text(json.dumps({"manifest": text, "signature": signature}))
        return micropython(PRELUDE + script + "\nprint('end')\n")

    return run
