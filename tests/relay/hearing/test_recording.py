from __future__ import annotations

import hypothesis
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import FRAME_SAMPLES, RATE_HZ
from relay.hearing.recording import Recording

#: A busy machine is no failure.
patient = hypothesis.settings(deadline=None)


def test_what_was_recorded_comes_back_by_position() -> None:
    recording = Recording()
    recording.append(np.arange(1000, dtype=np.int16))
    recording.append(np.arange(1000, 1500, dtype=np.int16))
    assert recording.end == 1500
    np.testing.assert_array_equal(recording.between(990, 1010), np.arange(990, 1010))


def test_what_was_never_recorded_or_is_forgotten_is_left_out() -> None:
    recording = Recording()
    recording.append(np.arange(1000, dtype=np.int16))
    recording.forget_before(600)
    np.testing.assert_array_equal(recording.between(-50, 2000), np.arange(600, 1000))
    assert len(recording.between(100, 200)) == 0
    assert len(recording.between(1000, 900)) == 0


def test_what_is_handed_out_does_not_change_with_what_comes_after() -> None:
    recording = Recording()
    recording.append(np.ones(FRAME_SAMPLES, np.int16))
    heard = recording.between(0, FRAME_SAMPLES)
    recording.forget_before(FRAME_SAMPLES)
    for _ in range(200):
        recording.append(np.zeros(FRAME_SAMPLES, np.int16))
    assert (heard == 1).all()


def test_hours_of_what_is_forgotten_take_no_more_room_than_a_second() -> None:
    recording, frame = Recording(), np.zeros(FRAME_SAMPLES, np.int16)
    for _ in range(10_000):
        recording.append(frame)
        recording.forget_before(recording.end - 10 * FRAME_SAMPLES)
    assert recording.capacity == 32 * FRAME_SAMPLES


def test_room_for_a_long_utterance_is_given_back_after_it() -> None:
    recording, frame = Recording(), np.zeros(FRAME_SAMPLES, np.int16)
    while recording.end < 30 * RATE_HZ:
        recording.append(frame)
    assert recording.capacity < 4 * 30 * RATE_HZ
    grown = recording.capacity
    for _ in range(grown // FRAME_SAMPLES):
        recording.append(frame)
        recording.forget_before(recording.end - 10 * FRAME_SAMPLES)
    assert recording.capacity == 32 * FRAME_SAMPLES


@patient
@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 60_000)), max_size=30))
def test_it_is_the_same_as_keeping_everything(steps: list[tuple[int, int]]) -> None:
    recording, everything, forgotten = Recording(), np.empty(0, np.int16), 0
    for count, forget in steps:
        samples = np.arange(len(everything), len(everything) + count).astype(np.int16)
        recording.append(samples)
        everything = np.concatenate((everything, samples))
        recording.forget_before(forget)
        forgotten = max(forgotten, min(forget, len(everything)))
        assert recording.end == len(everything)
        np.testing.assert_array_equal(recording.between(0, 10**9), everything[forgotten:])
