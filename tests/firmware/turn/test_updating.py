"""A turn and an update: each waits for the other to be over."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


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
