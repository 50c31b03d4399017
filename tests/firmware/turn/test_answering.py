"""The reply: how it begins and ends, and how a person cuts it short."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


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
