"""A turn among parts that note what it makes them do, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

PRELUDE = """
from doll import log
from doll.button import HOLD, LONG, PRESS, RELEASE, TAP
from doll.speaker import DRAINED, STARTED, UNDERRUN
from doll.turn import Turn

lines = []
log._line = lambda level, text: lines.append(text)
did = []  # what the turn made the others do

class Microphone:
    lost = 0
    def ready(self): did.append("ready")
    def open(self): did.append("open")
    def close(self): did.append("close")

class Speaker:
    played = lost = underruns = 0
    volume = 70
    accepts = False
    def begin(self):
        self.accepts = True
        did.append("begin")
    def finish(self):
        accepted, self.accepts = self.accepts, False
        return accepted
    def flush(self):
        did.append("flush")
        accepted, self.accepts = self.accepts, False
        return accepted
    playing = True
    def is_open(self): return self.accepts
    def is_playing(self): return self.playing
    def set_volume(self, volume): self.volume = volume

class Relay:
    frames_sent = 0
    holding = resumed = False
    def listen(self, mode): did.append("listen " + mode)
    def listened(self): did.append("listened")
    def stop_audio(self): did.append("stop_audio")
    def abort(self): did.append("abort")
    def report(self, account): did.append("report")

class Light:
    def show(self, state): self.state = state
    def feel(self, emotion, colour=None): self.emotion = emotion

class Meter:
    def run(self): pass
    def reset(self): pass
    def per_frame(self, frames): return 0

class World:
    def __init__(self, talk="hold"):
        self.now = 5000
        self.speaker = Speaker()
        self.light = Light()
        did.clear()
        self.relay = Relay()
        parts = Microphone(), self.speaker, self.relay, self.light, Meter()
        self.turn = Turn(*parts, talk, self.now)
        self.turn.on_link(False, self.now)
    def link(self, up): self.turn.on_link(up, self.now)
    def button(self, *events):
        for e in events:
            self.turn.on_button(e, self.now)
    def says(self, kind, **fields):
        fields["type"] = kind
        self.turn.on_message(fields, self.now)
    def tts(self, state): self.says("tts", state=state)
    def sound(self, event): self.turn.on_sound(event, self.now)
    def wait(self, ms):
        while ms > 0:
            self.now += min(ms, 20)
            ms -= 20
            self.turn.tick(self.now)
    def is_in(self, state):
        assert self.turn.state == state, (self.turn.state, state, did)
        assert self.light.state == state

# A doll in the wanted state.
def doll(state, talk="hold"):
    w = World(talk)
    if state == "connecting":
        return w
    w.link(True)
    if state == "pressed":
        w.button(PRESS)
    elif state == "manual":
        w.button(PRESS, HOLD)
    elif state in ("auto", "thinking", "speaking", "draining"):
        w.button(PRESS, TAP)
        if state != "auto":
            w.says("stt", text="hi")
        if state in ("speaking", "draining"):
            w.tts("start")
            w.sound(STARTED)
        if state == "draining":
            w.tts("stop")
    w.wait(1500) if state == "manual" else w.wait(100)
    did.clear()
    lines.clear()
    return w

STATES = {"connecting": "connecting", "idle": "idle", "pressed": "listening",
    "manual": "listening", "auto": "listening", "thinking": "thinking", "speaking": "speaking",
    "draining": "speaking"}
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n') == "end\n"

    return run
