"""The doll's own sounds: when they are heard, what they sound like, and that they take no heap."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

Micropython = Callable[..., str]

PRELUDE = """
import gc, json
from array import array
from doll.sounds import Sounds, tone

class Speaker:
    volume = 100
    idle = True
    room = True
    def __init__(self):
        self.units = []
        self.keeps = True
        self.count = 0
    def is_idle(self):
        return self.idle
    def play(self, unit):
        if not self.room:
            return False
        self.count += 1
        if self.keeps:
            self.units.append(bytes(unit))
        return True
    # What was heard since the last look, as milliseconds.
    def heard(self):
        n = len(self.units) * 16
        self.units.clear()
        return n

ended = []
speaker = Speaker()
now = 1000

def make(on=True):
    s = Sounds(speaker, on, lambda: ended.append(now), now)
    return s

# Lets time pass in this state.
def live(s, state, ms, troubles=0):
    global now
    for _ in range(ms // 20):
        now += 20
        s.tick(state, troubles, now)
        for _ in range(2):
            s.step()
"""


@pytest.fixture
def run(micropython: Micropython) -> Callable[[str], str]:
    def run(script: str) -> str:
        return micropython(PRELUDE + script)

    return run


Run = Callable[[str], str]


def test_the_first_link_is_heard_and_each_state_only_once(run: Run) -> None:
    run("""
s = make()
live(s, "connecting", 1000)
assert speaker.heard() == 0
live(s, "idle", 1000)
assert 300 <= speaker.heard() <= 400
live(s, "idle", 5000)
assert speaker.heard() == 0
""")


def test_a_link_that_is_back_at_once_was_not_missed(run: Run) -> None:
    run("""
s = make()
live(s, "idle", 1000)
speaker.heard()
live(s, "connecting", 2900)
live(s, "idle", 1000)
assert speaker.heard() == 0
live(s, "connecting", 4000)
assert speaker.heard() == 320, "lost"
live(s, "connecting", 60000)
assert speaker.heard() == 0
live(s, "idle", 1000)
assert speaker.heard() > 0, "connected"
""")


def test_thinking_ticks_once_it_takes_long(run: Run) -> None:
    run("""
s = make()
live(s, "idle", 1000)
speaker.heard()
live(s, "thinking", 1400)
assert speaker.heard() == 0
live(s, "thinking", 200)
assert speaker.heard() == 48
live(s, "thinking", 3000)
assert speaker.heard() == 96
""")


def test_a_turn_that_came_to_nothing_is_heard(run: Run) -> None:
    run("""
s = make()
live(s, "idle", 1000)
speaker.heard()
live(s, "idle", 1000, troubles=1)
assert speaker.heard() > 0
live(s, "idle", 1000, troubles=1)
assert speaker.heard() == 0
s.error()
live(s, "idle", 1000, troubles=1)
assert speaker.heard() > 0
""")


def test_a_voice_comes_before_any_sound(run: Run) -> None:
    run("""
s = make()
live(s, "idle", 100)
assert 0 < speaker.heard() < 200
live(s, "listening", 1000)  # the microphone is open
assert speaker.heard() == 0
live(s, "idle", 1000)
assert speaker.heard() == 0, "what was cut off does not come back"
live(s, "idle", 40, troubles=1)
speaker.heard()
speaker.idle = False  # a reply is about to play
live(s, "thinking", 5000, troubles=1)
assert speaker.heard() == 0
""")


def test_a_speaker_that_is_full_takes_the_rest_later(run: Run) -> None:
    run("""
s = make()
s.tick("idle", 0, now)
speaker.room = False
live(s, "idle", 500)
assert speaker.heard() == 0 and not ended
speaker.room = True
live(s, "idle", 1000)
assert speaker.heard() == 336
""")


def test_the_end_is_told_when_the_last_of_it_has_been_played(run: Run) -> None:
    run("""
s = make()
live(s, "idle", 220)
assert speaker.heard() == 336
live(s, "idle", 140)  # what the driver still holds is up to 128 ms
assert not ended
live(s, "idle", 1000)
assert len(ended) == 1
""")


def test_they_can_be_turned_off(run: Run) -> None:
    run("""
s = make(on=False)
live(s, "idle", 1000, troubles=3)
live(s, "connecting", 9000)
s.error()
live(s, "thinking", 9000)
assert speaker.heard() == 0 and speaker.count == 0
""")


def test_nothing_takes_heap_once_it_is_made(run: Run) -> None:
    run("""
s = make()
speaker.keeps = False
live(s, "idle", 1000)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for state in (0, 1, 2, 3):
    live(s, "thinking", 4000, state)
    live(s, "connecting", 4000, state)
    live(s, "idle", 1000, state)
used = gc.mem_alloc() - before
assert speaker.count > 100
assert used < 1000, used  # the test's own ranges
""")


def test_a_tone_is_a_clean_sine_of_its_pitch_and_loudness(run: Run) -> None:
    output = run("""
phase = 0
out = []
for _ in range(16):
    buf = bytearray(512)
    phase = tone(buf, 256, phase, 440 * 65536 // 16000, 6000, 6000)
    out += list(array("h", buf))
print(json.dumps(out))
""")
    samples = np.array(json.loads(output), float)
    assert 5900 <= np.abs(samples).max() <= 6000
    assert abs(samples.mean()) < 100
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    peak = int(spectrum.argmax()) * 16000 / len(samples)
    assert abs(peak - 440) < 5
    around = spectrum.argmax()
    energy = (spectrum**2).sum()
    assert (spectrum[around - 3 : around + 4] ** 2).sum() / energy > 0.995


def test_a_sound_begins_and_ends_in_silence_and_follows_the_volume(run: Run) -> None:
    output = run("""
found = []
for volume in (100, 50, 0):
    speaker.volume = volume
    s = make()
    live(s, "idle", 1000)
    pcm = array("h", b"".join(speaker.units))
    speaker.units.clear()
    found.append([abs(pcm[0]), abs(pcm[-1]), max(max(pcm), -min(pcm))])
    biggest = max(abs(pcm[i] - pcm[i - 1]) for i in range(1, len(pcm)))
    found[-1].append(biggest)
print(json.dumps(found))
""")
    loud, half, silent = json.loads(output)
    for first, last, _, step in (loud, half):
        assert first <= 2
        assert last <= 200
        assert step < 2400, "a jump would click"
    assert 5500 <= loud[2] <= 6000
    assert 0.2 < half[2] / loud[2] < 0.3
    assert silent[2] == 0
