"""How a turn begins: what the button and each way of talking make of it."""

from __future__ import annotations

from collections.abc import Callable

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
