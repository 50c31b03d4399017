"""When a link is given up: a relay that is silent or does not read, and Wi-Fi that is gone."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


def test_a_relay_that_does_not_read_is_left_after_10_s(check: Check) -> None:
    check("""
r.send({"type": "abort"})
pump()
r._free = False
ws.stuck = True
for second in range(10):
    clock.now += 1000
    ws.last_rx = clock.now
    r._step_out()
    r._check(ws)
clock.now += 1001
ws.last_rx = clock.now
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "does not read" in str(e)
""")


def test_a_silent_relay_is_asked_after_20_s_and_left_after_45(check: Check) -> None:
    check("""
asked = []
for second in range(45):
    r._check(ws)
    if shown():
        asked.append(second)
    clock.now += 1000
assert asked == [21, 42], asked
clock.now += 1001
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "silent" in str(e)
""")


def test_while_an_answer_is_to_come_it_is_asked_after_2_s_and_left_after_6(check: Check) -> None:
    check("""
r.urgent = True
asked = []
for tenth in range(60):
    r._check(ws)
    if shown():
        asked.append(tenth / 10)
    clock.now += 100
assert asked == [3.0], asked  # a look each second
clock.now += 1001
try:
    r._check(ws)
    assert False
except Closed as e:
    assert "silent" in str(e)
""")


def test_a_relay_that_talks_is_not_asked(check: Check) -> None:
    check("""
for second in range(300):
    ws.last_rx = clock.now
    r._check(ws)
    clock.now += 1000
assert shown() == []
""")


def test_lost_wifi_ends_the_link(check: Check) -> None:
    check("""
wifi.up = False
clock.now += 1001
try:
    r._check(ws)
    assert False
except OSError as e:
    assert str(e) == "Wi-Fi is gone"
""")
