"""The states of a turn: every button, message and sound in every state, on the test's clock."""

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


Check = Callable[[str], None]


def test_every_state_can_be_reached(check: Check) -> None:
    check("""
w = World()
assert lines[0] == "state connecting"
for name, state in STATES.items():
    doll(name).is_in(state)
""")


def test_the_microphone_opens_with_the_press(check: Check) -> None:
    check("""
w = doll("idle")
w.button(PRESS)
assert did == ["open"]
w.is_in("listening")
""")


def test_a_hold_is_a_manual_turn_that_letting_go_ends(check: Check) -> None:
    check("""
w = doll("idle")
w.button(PRESS, HOLD)
assert did == ["open", "listen manual"]
w.button(RELEASE)
assert did[2:] == ["close", "listened"]
w.is_in("thinking")
""")


def test_a_tap_is_an_auto_turn_that_the_relay_ends(check: Check) -> None:
    check("""
w = doll("idle")
w.button(PRESS, TAP)
assert did == ["open", "listen auto"]
w.says("stt", text="hi")
assert did[2:] == ["close", "stop_audio"]
w.is_in("thinking")
assert lines[-3] == "heard hi" and lines[-2].startswith("listen stop "), lines
""")


def test_a_second_tap_ends_an_auto_turn(check: Check) -> None:
    check("""
w = doll("auto")
w.button(PRESS, TAP)
assert did == ["close", "listened"]
w.is_in("thinking")
""")


def test_a_whole_reply(check: Check) -> None:
    check("""
w = doll("thinking")
w.says("llm", emotion="happy", text="x")
assert w.light.emotion == "happy"
w.tts("start")
w.is_in("speaking")
w.says("tts", state="sentence_start", text="one\\ntwo")
w.sound(STARTED)
w.sound(UNDERRUN)
w.tts("stop")
w.is_in("speaking")
w.sound(DRAINED)
w.is_in("idle")
assert did == ["close", "begin", "report", "ready"], did
assert [line.split("=")[0] for line in lines] == ["feels happy", "reply start", "state speaking",
    "says one two", "sound start", "sound underrun n", "reply stop", "sound stop",
    "played frames", "state idle"], lines
""")


def test_the_relay_may_answer_before_it_says_what_it_heard(check: Check) -> None:
    check("""
w = doll("auto")
w.tts("start")
assert did == ["close", "stop_audio", "begin"]
w.is_in("speaking")
""")


def test_the_relay_may_speak_unasked(check: Check) -> None:
    check("""
w = doll("idle")
w.tts("start")
w.is_in("speaking")
""")


def test_a_new_reply_replaces_the_one_that_is_spoken(check: Check) -> None:
    check("""
w = doll("speaking")
w.tts("start")
assert did == ["report", "close", "begin"]
w.is_in("speaking")
""")


def test_a_turn_without_a_reply_ends(check: Check) -> None:
    check("""
for state in ("thinking", "auto"):
    w = doll(state)
    w.wait(1500)
    w.tts("stop")
    w.is_in("idle")
""")


def test_a_press_cuts_the_reply_short_and_listens(check: Check) -> None:
    check("""
w = doll("speaking")
w.button(PRESS)
assert did == ["flush", "report", "abort", "open"], did
w.is_in("listening")
w.button(HOLD)
assert did[4:] == ["listen manual"]
""")


def test_in_tap_mode_a_tap_cuts_the_reply_short_and_listens(check: Check) -> None:
    check("""
for talk in ("tap", "free"):
    w = World(talk)
    w.link(True)
    w.tts("start")
    did.clear()
    w.button(PRESS)
    assert did == []
    w.button(TAP)
    assert did == ["flush", "report", "abort", "open", "listen auto"], did
    w.is_in("listening")
""")


def test_the_wait_for_a_reply_can_be_cut_short(check: Check) -> None:
    check("""
w = doll("thinking")
w.button(PRESS)
assert did == ["abort", "open"]
w.is_in("listening")
""")


def test_a_reply_that_the_relay_has_finished_is_not_aborted(check: Check) -> None:
    check("""
w = doll("draining")
w.button(PRESS, TAP)
assert did == ["flush", "report", "open", "listen auto"], did
w.wait(100)
w.tts("start")
w.is_in("speaking")
""")


def test_after_an_abort_all_is_of_the_old_reply_until_tts_stop(check: Check) -> None:
    check("""
w = doll("thinking")
w.button(PRESS, TAP)
did.clear()
w.says("stt", text="old")
w.says("llm", emotion="sad")
w.tts("start")
w.says("tts", state="sentence_start", text="old")
w.is_in("listening")
w.tts("stop")
w.is_in("listening")
w.wait(500)
w.tts("stop")  # the cut reply's own, behind the answer to the abort
w.is_in("listening")
assert did == []
assert not any("old" in line for line in lines)
w.says("stt", text="new")
w.is_in("thinking")
""")


def test_an_abort_that_is_never_answered_is_forgotten_after_two_seconds(check: Check) -> None:
    check("""
w = doll("thinking")
w.button(PRESS, TAP)
w.wait(1900)
w.tts("start")
w.is_in("listening")
w.wait(200)
w.tts("start")
w.is_in("speaking")
""")


def test_while_the_button_is_down_no_reply_takes_the_word(check: Check) -> None:
    check("""
for state in ("pressed", "manual"):
    w = doll(state)
    w.tts("start")
    w.tts("stop")
    w.says("stt", text="x")
    w.is_in("listening")
    assert did == []
""")


def test_hands_free_listens_again_after_each_reply(check: Check) -> None:
    check("""
w = World("free")
w.link(True)
w.is_in("idle")
w.wait(300)
w.is_in("listening")
for _ in range(3):
    did.clear()
    w.says("stt", text="x")
    w.tts("start")
    w.tts("stop")
    w.sound(DRAINED)
    w.is_in("idle")
    w.wait(300)
    w.is_in("listening")
    assert did[-2:] == ["open", "listen auto"]
""")


def test_hands_free_does_not_flood_a_relay_that_ends_every_turn(check: Check) -> None:
    check("""
w = World("free")
w.link(True)
did.clear()
for _ in range(100):
    w.wait(20)
    w.tts("stop")
assert did.count("listen auto") <= 10, did
""")


def test_an_open_microphone_is_only_the_owners_choice(check: Check) -> None:
    check("""
for talk in ("hold", "tap"):
    w = doll("idle", talk)
    w.wait(10000)
    w.is_in("idle")
    assert did == []
""")


def test_a_long_press_changes_the_volume_unless_it_is_speech(check: Check) -> None:
    check("""
w = doll("idle", "tap")
got = []
for _ in range(5):
    w.button(PRESS, HOLD, LONG, RELEASE)
    got.append(w.speaker.volume)
assert got == [50, 25, 100, 75, 50], got
w.is_in("idle")
assert did == []
w = doll("idle", "hold")
w.button(PRESS, HOLD, LONG)
assert w.speaker.volume == 70
""")


def test_every_wait_has_an_end(check: Check) -> None:
    check("""
w = doll("auto")
w.wait(61000)
w.is_in("thinking")
assert did == ["close", "listened"]
w.wait(61000)
w.is_in("idle")
assert did[2:] == ["abort", "ready"], did
w = doll("manual")
w.wait(61000)
w.is_in("thinking")
w.button(RELEASE)
w.is_in("thinking")
for state in ("speaking", "draining"):
    w = doll(state)
    for _ in range(10):
        w.wait(10000)
        w.speaker.played += 1
    w.is_in("speaking")
    w.wait(16000)
    w.is_in("idle")
""")


def test_a_link_that_stays_away_ends_everything_and_a_new_one_starts_afresh(check: Check) -> None:
    check("""
for state in STATES:
    w = doll(state)
    w.link(False)
    w.speaker.playing = False
    w.wait(20000)
    if state == "draining":
        w.sound(DRAINED)
    if state == "pressed":  # the person has still not let go
        w.button(HOLD, RELEASE)
    w.is_in("connecting")
    for event in (HOLD, RELEASE, PRESS, TAP):
        w.button(event)
    w.tts("start")
    w.is_in("connecting")
    w.link(True)
    w.is_in("idle")
    assert not w.relay.holding
    w.button(PRESS, HOLD)
    w.is_in("listening")
""")


def test_a_cut_off_answer_goes_on_where_the_relay_kept_it(check: Check) -> None:
    check("""
for state in ("thinking", "speaking"):
    w = doll(state)
    w.link(False)
    assert w.relay.holding and w.relay.hurry
    w.is_in("connecting" if state == "thinking" else "speaking")
    w.speaker.playing = False  # what had come was played
    w.wait(14000)
    w.is_in("connecting")
    w.relay.resumed = True
    w.link(True)
    w.is_in(state)
    assert "flush" not in did and "begin" not in did and "report" not in did
    w.tts("start" if state == "thinking" else "stop")
    w.tts("stop")
    w.sound(DRAINED)
    w.is_in("idle")
""")


def test_a_link_that_is_back_before_the_buffer_is_empty_is_not_noticed(check: Check) -> None:
    check("""
w = doll("speaking")
w.link(False)
w.wait(1000)
w.relay.resumed = True
w.link(True)
w.is_in("speaking")
assert did == []
assert "state connecting" not in lines
""")


def test_two_breaks_in_one_answer_are_two_resumptions(check: Check) -> None:
    check("""
w = doll("speaking")
for _ in range(2):
    w.link(False)
    assert w.relay.holding
    w.wait(9000)
    w.relay.resumed, w.relay.holding = True, False
    w.link(True)
    w.is_in("speaking")
assert did == []
""")


def test_an_answer_that_the_relay_has_not_kept_is_lost_and_told(check: Check) -> None:
    check("""
for state in ("thinking", "speaking"):
    w = doll(state)
    w.link(False)
    w.wait(3000)
    w.link(True)  # a relay that was restarted
    w.is_in("idle")
    assert "turn: the answer is lost" in lines
    assert ("flush" in did) == (state == "speaking")
    assert w.turn.troubles == 1
""")


def test_after_15_seconds_nobody_waits_for_an_answer_any_more(check: Check) -> None:
    check("""
w = doll("speaking")
w.link(False)
w.wait(14900)
assert w.relay.holding
w.wait(200)
assert not w.relay.holding and not w.relay.hurry
w.is_in("connecting")
assert "flush" in did
w.relay.resumed = True  # it was asked at the last moment
w.link(True)
w.is_in("idle")
""")


def test_a_press_ends_the_wait_for_an_answer(check: Check) -> None:
    check("""
for state in ("thinking", "speaking"):
    w = doll(state)
    w.link(False)
    w.button(PRESS)
    assert not w.relay.holding
    w.is_in("connecting")
    w.button(TAP)
    w.link(True)
    w.is_in("idle")
""")


def test_an_answer_of_which_all_has_come_needs_no_link(check: Check) -> None:
    check("""
w = doll("draining")
w.link(False)
w.wait(500)
w.is_in("speaking")
assert not w.relay.holding
w.sound(DRAINED)
w.is_in("connecting")

w = doll("draining")
w.link(False)
w.link(True)
w.is_in("speaking")
w.sound(DRAINED)
w.is_in("idle")
assert "flush" not in did
""")


def test_a_question_that_is_being_asked_is_asked_anew(check: Check) -> None:
    check("""
for state, mode in (("manual", "manual"), ("auto", "auto")):
    w = doll(state)
    w.link(False)
    w.is_in("listening")
    assert w.relay.hurry and not w.relay.holding
    w.relay.frames_sent = 20
    w.wait(1500)
    w.link(True)
    w.is_in("listening")
    assert did == ["listen " + mode]  # and the microphone's ring was never closed
    assert "turn: the link broke, listening anew lost=20" in lines

w = doll("pressed")
w.link(False)
w.link(True)
assert did == []
w.button(HOLD)
assert did == ["listen manual"]
""")


def test_a_question_that_ends_without_a_link_is_lost_and_told(check: Check) -> None:
    check("""
w = doll("manual")
w.link(False)
w.button(RELEASE)
w.is_in("connecting")
assert "turn: the question is lost" in lines and "listened" not in did

w = doll("auto")
w.link(False)
w.wait(15100)
w.is_in("connecting")
assert "turn: the question is lost" in lines

w = doll("manual")
w.button(RELEASE)
w.link(False)  # before the last frame of it was out
w.is_in("connecting")
assert "turn: the question is lost" in lines and not w.relay.holding
""")


def test_a_doll_that_listens_by_itself_closes_its_microphone_with_the_link(check: Check) -> None:
    check("""
w = doll("idle", "free")
w.wait(300)
w.is_in("listening")
w.link(False)
w.is_in("connecting")
assert did[-1] == "close"
""")


def test_while_an_answer_is_to_come_a_silent_link_is_soon_left(check: Check) -> None:
    check("""
for state in STATES:
    w = doll(state)
    assert w.relay.urgent == (STATES[state] in ("thinking", "speaking")), state
""")


def test_every_event_in_every_state_leaves_a_doll_that_works(check: Check) -> None:
    check("""
messages = [
    {}, {"type": None}, {"type": 3}, {"type": "tts"}, {"type": "tts", "state": None},
    {"type": "tts", "state": "start"}, {"type": "tts", "state": "sentence_start"},
    {"type": "tts", "state": "sentence_start", "text": ["x"]}, {"type": "tts", "state": "stop"},
    {"type": "stt"}, {"type": "stt", "text": {"a": 1}}, {"type": "stt", "text": "x" * 2000},
    {"type": "llm"}, {"type": "llm", "emotion": None}, {"type": "llm", "emotion": 7},
]
for talk in ("hold", "tap", "free"):
    for state in STATES:
        events = [lambda w, m=m: w.turn.on_message(m, w.now) for m in messages]
        events += [lambda w, e=e: w.button(e) for e in (PRESS, TAP, HOLD, LONG, RELEASE)]
        events += [lambda w, e=e: w.sound(e) for e in (STARTED, UNDERRUN, DRAINED)]
        events += [lambda w, up=up: w.link(up) for up in (True, False)]
        for event in events:
            w = doll(state, talk)
            event(w)
            assert w.turn.state in STATES.values()
            # Whatever happened: with a link, and some minutes, it is at rest or listens again.
            w.link(False)
            w.wait(16000)
            w.link(True)
            w.wait(20000)
            w.is_in("listening" if talk == "free" else "idle")
""")


def test_an_update_comes_only_while_nobody_speaks(check: Check) -> None:
    check("""
for name in STATES:
    w = doll(name)
    assert w.turn.begin_update(w.now) == (name == "idle"), name
    w.is_in("updating" if name == "idle" else STATES[name])
""")


def test_while_an_update_comes_nobody_is_heard_and_nothing_is_played(check: Check) -> None:
    check("""
w = doll("idle")
w.turn.begin_update(w.now)
assert did == ["close"]
did.clear()
w.button(PRESS, HOLD, RELEASE, PRESS, TAP)
w.tts("start")
w.tts("stop")
w.wait(60000)
w.is_in("updating")
assert did == [] and w.turn.troubles == 2  # each press is heard to be in vain
w.turn.end_update(w.now)
w.is_in("idle")
assert did == ["ready"]
w.turn.end_update(w.now)
assert did == ["ready"]
""")


def test_a_link_that_is_lost_ends_the_update(check: Check) -> None:
    check("""
w = doll("idle")
w.turn.begin_update(w.now)
w.link(False)
w.is_in("connecting")
w.turn.end_update(w.now)
w.is_in("connecting")
w.link(True)
w.is_in("idle")
""")


def test_a_doll_that_always_listens_makes_room_for_an_update(check: Check) -> None:
    check("""
w = doll("auto", "free")
assert w.turn.begin_update(w.now)
assert "abort" in did and "close" in did
w.is_in("updating")
w.tts("stop")
w.is_in("updating")
""")


def test_a_turn_that_comes_to_nothing_is_counted(check: Check) -> None:
    check("""
w = doll("thinking")
w.wait(61000)
assert w.turn.troubles == 1
w = doll("speaking")
w.wait(16000)
assert w.turn.troubles == 1
w = doll("connecting")
w.button(PRESS)
assert w.turn.troubles == 1
""")


def test_random_events_never_stop_it(check: Check) -> None:
    check("""
import random
random.seed(11)
w = World("hold")
down = False
for n in range(20000):
    k = random.getrandbits(4)
    if k < 5:
        w.tts(("start", "stop", "sentence_start", "", "x")[k])
    elif k == 5:
        w.says("stt", text="x")
    elif k == 6:
        w.link(random.getrandbits(3) != 0)
    elif k == 7:
        w.sound(random.getrandbits(2))
    elif k == 8 and random.getrandbits(1):
        w.turn.begin_update(w.now)
    elif k == 9 and random.getrandbits(1):
        w.turn.end_update(w.now)
    elif k < 12:
        # A button cannot be let go that is not down.
        w.button(random.choice((TAP, HOLD, LONG, RELEASE)) if down else PRESS)
        down = not down
    else:
        w.wait(random.getrandbits(9))
    assert w.turn.state in tuple(STATES.values()) + ("updating",)
    assert w.light.state == w.turn.state
    did.clear()
    lines.clear()
""")
