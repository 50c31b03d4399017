"""Every event in every state, and waits that nobody ends: the doll always comes to rest."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


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
