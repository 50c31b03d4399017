"""The light: a colour per state and feeling, on a NeoPixel or a plain LED."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]

PRELUDE = """
import gc
from doll.light import Light

class Pixel:
    shown = None
    def __setitem__(self, i, colour): self.colour = colour
    def write(self): self.shown = self.colour

pixel = Pixel()
light = Light(pixel, None, 255)
STATES = ("booting", "setup", "reset", "connecting", "idle", "listening", "thinking", "speaking",
    "updating", "safe")
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n') == "end\n"

    return run


Check = Callable[[str], None]


def test_every_state_has_a_colour_of_its_own(check: Check) -> None:
    check("""
seen = set()
for state in STATES:
    light.show(state)
    seen.add(pixel.shown)
assert len(seen) == len(STATES)
""")


def test_an_open_microphone_is_seen_even_when_the_light_is_lowest(check: Check) -> None:
    check("""
light.dim(4)
light.show("listening")
assert pixel.shown == (0, 4, 0)
for now in range(0, 5000, 20):
    light.tick(now)
    assert pixel.shown == (0, 4, 0)
""")


def test_a_feeling_colours_the_reply_it_came_with_and_no_other(check: Check) -> None:
    check("""
light.show("speaking")
plain = pixel.shown
light.show("thinking")
light.feel("sad")
light.show("speaking")
sad = pixel.shown
assert sad != plain
light.feel("angry")
assert pixel.shown == (255, 0, 0)
light.show("idle")
light.show("speaking")
assert pixel.shown == plain
light.feel("no such feeling")
assert pixel.shown == plain
""")


def test_a_feeling_has_the_colour_that_the_relay_gives_it_for_one_reply(check: Check) -> None:
    check("""
light.show("thinking")
light.feel("sad", 0x102030)
light.show("speaking")
assert pixel.shown == (0x10, 0x20, 0x30)
light.feel("no such feeling", 0)
assert pixel.shown == (0, 0, 0)
light.feel("angry")
assert pixel.shown == (255, 0, 0)
for colour in (-1, 0x1000000, 1 << 70, 1.5, "#102030", True, None, [], {}):
    light.feel("angry", colour)
    assert pixel.shown == (255, 0, 0), colour
light.feel("sad", 0x102030)
light.show("idle")
light.show("speaking")
assert pixel.shown == (0xFF, 0x3C, 0xA0)
""")


def test_a_colour_takes_no_heap_beyond_that_of_a_feeling(check: Check) -> None:
    check("""
light.show("speaking")
def feel(n, colour):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    while n:
        light.feel("sad", colour)
        n -= 1
    used = gc.mem_alloc() - before
    gc.enable()
    return used
feel(10, None)
assert feel(100, 0x102030) <= feel(100, None)
""")


def test_waiting_blinks(check: Check) -> None:
    check("""
for state in ("connecting", "thinking"):
    light.show(state)
    lit = set()
    for now in range(0, 1000, 20):
        light.tick(now)
        lit.add(pixel.shown != (0, 0, 0))
    assert lit == {True, False}
""")


def test_a_plain_led_is_on_where_there_is_a_colour(check: Check) -> None:
    check("""
levels = []
led = Light(None, levels.append, 32)
for state in ("idle", "listening", "idle", "speaking"):
    led.show(state)
assert levels == [1, 0, 1, 0, 1], levels
""")


def test_blinking_takes_no_heap(check: Check) -> None:
    check("""
light.warns = light.records = True
light.show("thinking")
def blink(n):
    while n:
        light.tick(n * 20)
        n -= 1
blink(50)
before = used = 0
gc.collect()
gc.disable()
before = gc.mem_alloc()
blink(500)
used = gc.mem_alloc() - before
assert used == 0, used
""")


def test_an_insecure_link_flashes_red_in_every_state_but_while_it_listens(check: Check) -> None:
    check("""
light.dim(40)
for state in STATES:
    light.warns = False
    light.show(state)
    usual = set()
    for now in range(0, 6000, 20):
        light.tick(now)
        usual.add(pixel.shown)
    light.warns = True
    flashes = 0
    for now in range(0, 6000, 20):
        light.tick(now)
        flashes += pixel.shown == (40, 0, 0) and (40, 0, 0) not in usual
    if state == "listening":
        assert flashes == 0
    elif state != "reset":  # which is red itself
        assert flashes == 10, (state, flashes)  # 100 ms of 3 s
""")


def test_on_a_plain_led_a_warning_is_a_change(check: Check) -> None:
    check("""
levels = []
led = Light(None, levels.append, 32)
led.warns = True
for state in ("idle", "speaking"):
    led.show(state)
    del levels[:]
    for now in range(200, 6200, 20):
        led.tick(now)
    assert levels == ([1, 0] if state == "idle" else [0, 1]) * 2, (state, levels)
""")


def test_a_recorded_doll_flashes_white_in_every_state_also_while_it_listens(check: Check) -> None:
    check("""
light.dim(40)
light.warns = True  # which does not hide it
for state in STATES:
    if state == "setup":  # which is white itself
        continue
    light.records = False
    light.show(state)
    light.tick(500)
    assert pixel.shown != (40, 40, 40), state
    light.records = True
    flashes = 0
    for now in range(0, 6000, 20):
        light.tick(now)
        flashes += pixel.shown == (40, 40, 40)
    assert flashes == 30, (state, flashes)  # 100 ms of each second
light.records = False
light.show("listening")
for now in range(0, 6000, 20):
    light.tick(now)
    assert pixel.shown == (0, 40, 0)
""")


def test_a_plain_led_shows_a_recording_as_a_change(check: Check) -> None:
    check("""
levels = []
led = Light(None, levels.append, 32)
led.records = True
for state in ("idle", "listening"):
    led.show(state)
    del levels[:]
    for now in range(200, 2200, 20):
        led.tick(now)
    assert levels == ([1, 0] if state == "idle" else [0, 1]) * 2, (state, levels)
""")
