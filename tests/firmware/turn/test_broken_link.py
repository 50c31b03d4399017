"""A link that breaks in a turn: what goes on, what is asked anew, what is lost and told."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


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
