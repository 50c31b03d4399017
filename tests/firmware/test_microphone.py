"""The microphone's ring: pre-roll, a slow network, and the end of what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FAKES = Path(__file__).with_name("board_fakes")

PRELUDE = """
import gc
from doll import adpcm
from doll.microphone import Microphone
from fakes import Words

words = Words()
m = Microphone(words)
buf = bytearray(adpcm.FRAME_BYTES)
pcm = bytearray(1024)

def run():
    while m.step():
        pass

# Frames of a square wave: it stays though DC is taken out. Loud tells them apart.
def speak(frames, loud=1000):
    for _ in range(2 * frames):
        words.put([loud if i & 8 else -loud for i in range(256)])
        run()

def taken():
    n = 0
    while m.take(buf):
        n += 1
    return n

def settle():
    speak(8, 0)
    assert not taken()
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n', path=(FAKES,)) == "end\n"

    return run


Check = Callable[[str], None]


def test_the_first_quarter_second_is_thrown_away(check: Check) -> None:
    check("""
speak(8, 9000)
assert not taken()
speak(1)
assert taken() == 1
""")


def test_the_last_320_ms_are_kept_before_it_opens(check: Check) -> None:
    check("""
settle()
speak(30, 1000)
speak(10, 5000)
m.open()
speak(2, 5000)
m.close()
n = 0
while m.take(buf):
    assert adpcm.decode(buf, pcm)
    peak = max(abs((pcm[i] | pcm[i + 1] << 8 ^ 0x8000) - 0x8000) for i in range(200, 1024, 2))
    n += 1
    assert n == 1 or peak > 3000, (n, peak)  # the coder needs a moment for the jump
assert n == 12
assert m.lost == 0
""")


def test_what_was_heard_while_it_was_closed_is_never_sent(check: Check) -> None:
    check("""
settle()
m.open()
m.close()
speak(20)
m.open()
assert not taken()
speak(3)
assert taken() == 3
""")


def test_what_was_not_sent_of_one_turn_is_not_sent_with_the_next(check: Check) -> None:
    check("""
settle()
m.open()
speak(5)
m.close()
m.open()
assert not taken()
""")


def test_ready_forgets_what_was_not_taken(check: Check) -> None:
    check("""
settle()
m.open()
speak(5)
m.close()
m.ready()
assert not taken()
""")


def test_a_second_waits_for_a_slow_network_and_then_the_oldest_give_way(check: Check) -> None:
    check("""
settle()
m.open()
speak(32, 1000)
assert m.lost == 0
speak(5, 5000)
assert m.lost == 5
assert taken() == 32
m.close()
m.ready()
m.open()
assert m.lost == 0
""")


def test_the_frame_that_has_begun_is_sent_at_the_end(check: Check) -> None:
    check("""
settle()
m.open()
speak(2)
words.put([3000] * 100)
run()
m.close()
assert taken() == 3
m.open()
speak(1)
assert taken() == 1, "nothing of it is left for the next time"
""")


def test_words_may_come_in_any_number(check: Check) -> None:
    check("""
settle()
m.open()
left = 512 * 5
sizes = (1, 255, 3, 200, 7, 100)
i = 0
while left:
    n = min(left, sizes[i % len(sizes)])
    words.put([0] * n)
    assert m.step()
    left -= n
    i += 1
assert taken() == 5
""")


def test_gain_doubles_the_level(check: Check) -> None:
    check("""
levels = []
for gain in (0, 3):
    words = Words()
    m = Microphone(words, gain)
    settle()
    speak(4, 500)
    levels.append(m.level)
assert 450 < levels[0] < 550 and 3600 < levels[1] < 4400, levels
""")


def test_listening_takes_no_heap(check: Check) -> None:
    check("""
class Noise:
    def readinto(self, buf):
        return len(buf)

m = Microphone(Noise())

def listen(n):
    while n:
        m.step()
        m.take(buf)
        n -= 1

listen(40)
m.open()
listen(40)
before = used = 0
gc.collect()
gc.disable()
before = gc.mem_alloc()
listen(400)
used = gc.mem_alloc() - before
assert used == 0, used
""")
