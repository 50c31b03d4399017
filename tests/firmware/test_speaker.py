"""The jitter buffer, on a clock and an amplifier that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FAKES = Path(__file__).with_name("board_fakes")

PRELUDE = """
import gc
from doll import speaker as module
from doll.speaker import DRAINED, NOTHING, STARTED, UNDERRUN
from fakes import Amplifier, Clock, frame

clock = module.time = Clock()
amp = Amplifier(clock)
s = module.Speaker(amp, 128, 100)
FRAME = frame(0)
events = []

def message(data=FRAME):
    taken = s.write(data, 0, len(data))
    if taken:
        s.end()
    return taken

# Lets the speaker do all that it can do now.
def run():
    n = 0
    while s.step():
        n += 1
        if s.event:
            events.append(s.event)
            s.event = NOTHING
        assert n < 1000
"""


@pytest.fixture
def check(micropython: Micropython) -> Callable[[str], None]:
    """Runs a script of asserts behind the prelude, to its end."""

    def run(script: str) -> None:
        assert micropython(PRELUDE + script + '\nprint("end")\n', path=(FAKES,)) == "end\n"

    return run


Check = Callable[[str], None]


def test_playing_starts_when_the_buffer_is_full_enough(check: Check) -> None:
    check("""
s.begin()
for _ in range(3):
    message()
    run()
assert not amp.taken and not events
message()
run()
assert len(amp.taken) == 4 * 1024 and s.played == 4
assert events == [STARTED]
""")


def test_the_fill_is_what_was_asked_for_and_at_least_one_frame(check: Check) -> None:
    check("""
for ms, frames in ((1, 1), (32, 1), (160, 5), (10000, 40)):
    amp = Amplifier(clock, 1000)
    s = module.Speaker(amp, ms, 100)
    s.begin()
    for n in range(frames):
        assert not amp.taken, ms
        assert message()
        run()
    assert len(amp.taken) == frames * 1024, ms
""")


def test_a_short_reply_is_played_though_the_buffer_never_filled(check: Check) -> None:
    check("""
s.begin()
message()
s.finish()
run()
assert len(amp.taken) == 1024 and events == [STARTED]
amp.play(3)
run()
assert events == [STARTED, DRAINED]
""")


def test_a_reply_without_audio_drains_at_once(check: Check) -> None:
    check("""
s.begin()
s.finish()
run()
assert events == [], "the driver may still be on its first buffer"
amp.play(1)
run()
assert events == [DRAINED] and s.played == s.underruns == 0
""")


def test_it_has_drained_only_when_the_last_sample_was_played(check: Check) -> None:
    check("""
s.begin()
for _ in range(4):
    message()
s.finish()
run()
for _ in range(8):
    assert events == [STARTED]
    amp.play()
    run()
amp.play()
run()
assert events == [STARTED, DRAINED]
assert not s.step()
""")


def test_an_empty_ring_is_no_underrun_while_the_driver_still_plays(check: Check) -> None:
    check("""
s.begin()
for _ in range(4):
    message()
run()
for _ in range(50):  # the frames come just in time
    amp.play(2)
    message()
    run()
assert s.underruns == 0 and s.played == 54
""")


def test_an_underrun_is_counted_once_and_the_buffer_fills_again(check: Check) -> None:
    check("""
s.begin()
for _ in range(4):
    message()
run()
amp.play(20)
run()
amp.play(20)
run()
assert events == [STARTED, UNDERRUN] and s.underruns == 1
for n in range(3):
    message()
    run()
    assert s.played == 4
message()
run()
assert s.played == 8 and s.underruns == 1
""")


def test_flush_is_silence_at_once_and_throws_late_frames_away(check: Check) -> None:
    check("""
s.begin()
for _ in range(30):
    message()
run()
heard = len(amp.taken)
assert s.flush() is True
amp.play(8)
message()
run()
assert len(amp.taken) == heard
assert s.flush() is False, "it was known that no more is wanted"
s.begin()
assert s.played == s.lost == 0
for _ in range(4):
    message()
run()
assert s.played == 4 and len(amp.taken) == heard + 4 * 1024
""")


def test_a_new_reply_throws_away_what_was_left_of_the_last(check: Check) -> None:
    check("""
s.begin()
for _ in range(20):
    message(frame(1000))
s.begin()
for _ in range(4):
    message(frame(2000))
run()
assert 1900 < int.from_bytes(amp.taken[:2], "little") < 2100
assert len(amp.taken) == 4 * 1024
""")


def test_nothing_of_a_flushed_reply_is_in_the_next(check: Check) -> None:
    check("""
s.begin()
for _ in range(20):
    message(frame(1000))
run()  # the driver is full, and a decoded frame waits for it
s.flush()
amp.play(8)
heard = len(amp.taken)
s.begin()
for _ in range(4):
    message(frame(2000))
run()
assert 1900 < int.from_bytes(amp.taken[heard : heard + 2], "little") < 2100
""")


def test_frames_that_nobody_waits_for_are_no_loss(check: Check) -> None:
    check("""
message()
run()
assert not amp.taken and s.lost == 0
""")


@pytest.mark.parametrize("size", [1, 4, 259, 261, 520, 4096])
def test_a_message_of_another_size_is_counted_and_harms_no_other(check: Check, size: int) -> None:
    check(f"""
s.begin()
for i in range(4):
    message(bytes({size}))
    message(frame(3000))
run()
assert s.lost == 4 and s.played == 4
assert 2900 < int.from_bytes(amp.taken[-2:], "little") < 3100
""")


def test_a_frame_that_cannot_be_true_is_counted_and_skipped(check: Check) -> None:
    check("""
bad = bytearray(FRAME)
bad[2] = 89
s.begin()
for data in (FRAME, bad, FRAME, FRAME):
    message(data)
run()
assert s.lost == 1 and s.played == 3
""")


def test_a_message_may_come_in_pieces(check: Check) -> None:
    check("""
data = bytes(7) + frame(3000)
s.begin()
for _ in range(4):
    at = 7
    for n in (1, 3, 100, 150, 6):
        assert s.write(data, at, n) == n
        at += n
    s.end()
run()
assert s.played == 4
assert 2900 < int.from_bytes(amp.taken[-2:], "little") < 3100
""")


def test_half_a_message_of_a_lost_link_is_not_part_of_the_next(check: Check) -> None:
    check("""
s.begin()
s.write(frame(1000), 0, 100)
s.tear()
assert not s.is_playing()
for _ in range(4):
    message(frame(3000))
run()
assert s.is_playing() and s.is_open()
assert s.played == 4 and s.lost == 0
assert 2900 < int.from_bytes(amp.taken[-2:], "little") < 3100
s.finish()
assert not s.is_open()
""")


def test_a_full_buffer_takes_nothing_until_a_frame_was_played(check: Check) -> None:
    check("""
s.begin()
n = 0
while message():
    n += 1
    assert n < 1000
assert n == 40
assert s.write(FRAME, 0, 1) == 0
run()
assert message() and s.lost == 0
""")


def test_a_unit_that_the_driver_takes_in_part_is_finished_later(check: Check) -> None:
    check("""
whole = bytearray()
s.begin()
for i in range(4):
    message(frame(1000 * i))
amp.part = 100
run()
once = bytes(amp.taken)
assert len(once) == 100 + 412 + 6 * 512
amp.play(8)
clean = Amplifier(clock)
other = module.Speaker(clean, 128, 100)
other.begin()
for i in range(4):
    data = frame(1000 * i)
    other.write(data, 0, 260)
    other.end()
while other.step():
    pass
run()
assert bytes(amp.taken) == bytes(clean.taken)
""")


def test_volume_follows_the_ear(check: Check) -> None:
    check("""
loud = []
for volume in (0, 50, 100):
    amp = Amplifier(clock)
    s = module.Speaker(amp, 32, volume)
    s.begin()
    message(frame(20000))
    s.finish()
    run()
    loud.append(int.from_bytes(amp.taken[-2:], "little"))
assert loud[0] == 0 and 4900 < loud[1] < 5100 and 19900 < loud[2] < 20100, loud
""")


def test_a_sound_of_its_own_is_played_at_once_and_is_no_part_of_a_reply(check: Check) -> None:
    check("""
claims = []
amp = Amplifier(clock, buffers=2)
s = module.Speaker(amp, 32, 100, lambda: claims.append(1))
assert s.is_idle()
unit = bytes(range(256)) * 2
assert s.play(unit) and s.play(unit)
assert not s.play(unit)  # full
amp.play()
assert s.play(unit)
assert bytes(amp.taken) == 3 * unit and claims
assert s.is_idle() and s.played == 0 and s.event == module.NOTHING
s.begin()
assert not s.is_idle()
""")


def test_playing_takes_no_heap(check: Check) -> None:
    check("""
class Sink:
    def write(self, buf):
        return len(buf)

s = module.Speaker(Sink(), 128, 70)
s.begin()

def play(n):
    while n:
        s.write(FRAME, 0, 100)
        s.write(FRAME, 100, 160)
        s.end()
        clock.now += 32
        while s.step():
            s.event = NOTHING
        n -= 1

play(10)
before = used = 0
gc.collect()
gc.disable()
before = gc.mem_alloc()
play(200)
used = gc.mem_alloc() - before
assert used == 0, used
assert s.played == 210
""")
