from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.gate import MIN_FLOOR_DB, EnergyGate, level_db

Noise = Callable[..., Pcm]
Cut = Callable[[Pcm], list[Pcm]]

TWO_SECONDS = 63  # frames


def loud(gate: EnergyGate, frames: Iterable[Pcm], probability: float = 0.0) -> list[bool]:
    """Which frames are loud, to a gate that is told this probability of voice for each."""
    heard = []
    for frame in frames:
        heard.append(gate.is_loud(frame))
        gate.learn(probability)
    return heard


def test_the_level_of_full_scale_is_zero_and_of_nothing_is_minus_120() -> None:
    square = np.tile(np.array([32767, -32767], np.int16), FRAME_SAMPLES // 2)
    assert level_db(square) == pytest.approx(0, abs=0.01)
    assert level_db(np.zeros(FRAME_SAMPLES, np.int16)) == -120


@pytest.mark.parametrize("offset", [-30_000, 500, 12_345])
def test_an_offset_of_the_microphone_is_no_sound(noise: Noise, offset: int) -> None:
    quiet = noise(1, -50)
    assert level_db(quiet + np.int16(offset)) == pytest.approx(level_db(quiet), abs=0.1)
    assert level_db(np.full(FRAME_SAMPLES, offset, np.int16)) < MIN_FLOOR_DB


def test_nothing_is_silent_and_never_loud() -> None:
    gate = EnergyGate()
    assert not any(loud(gate, [np.zeros(FRAME_SAMPLES, np.int16)] * 10))
    assert gate.silent


@pytest.mark.parametrize("db", [-70, -50, -30, -15])
def test_the_noise_of_a_room_is_loud_once_and_then_no_more(
    noise: Noise, frames_of: Cut, db: float
) -> None:
    gate = EnergyGate()
    heard = loud(gate, frames_of(noise(1000, db)))
    assert heard == [True] + [False] * 999
    assert not gate.silent


@pytest.mark.parametrize("db", [-60, -40, -20])
def test_a_fan_that_starts_is_part_of_the_room_within_four_seconds(
    noise: Noise, frames_of: Cut, db: float
) -> None:
    gate = EnergyGate()
    loud(gate, frames_of(noise(TWO_SECONDS, -70)))
    assert all(loud(gate, frames_of(noise(8, db, seed=1))))
    loud(gate, frames_of(noise(2 * TWO_SECONDS, db, seed=2)))
    assert not any(loud(gate, frames_of(noise(1000, db, seed=3))))


@pytest.mark.parametrize("db", [-70, -50, -30])
def test_a_voice_as_strong_as_the_noise_around_it_is_loud(
    noise: Noise, frames_of: Cut, db: float
) -> None:
    gate = EnergyGate()
    loud(gate, frames_of(noise(3 * TWO_SECONDS, db)))
    # A voice of the same mean level is stronger than that in its syllables, by 3 dB and more.
    syllable = noise(8, db, seed=1).astype(np.int32) + noise(8, db + 3, seed=2)
    assert all(loud(gate, frames_of(syllable.clip(-32768, 32767).astype(np.int16)), 0.9))


def test_a_voice_does_not_raise_the_floor_however_long_it_talks(
    noise: Noise, frames_of: Cut
) -> None:
    gate = EnergyGate()
    loud(gate, frames_of(noise(3 * TWO_SECONDS, -60)))
    before = gate.floor_db
    assert all(loud(gate, frames_of(noise(1000, -30)), 0.9))
    assert gate.floor_db == before


def test_a_room_that_falls_quiet_is_heard_so_within_half_a_second(
    noise: Noise, frames_of: Cut
) -> None:
    gate = EnergyGate()
    loud(gate, frames_of(noise(3 * TWO_SECONDS, -25)))
    loud(gate, frames_of(noise(16, -60, seed=1)))
    assert gate.is_loud(noise(1, -50, seed=2))


def passed(gate: EnergyGate, frames: list[Pcm], probability: float) -> None:
    for frame in frames:
        gate.is_loud(frame)
        gate.pass_by(probability)


def test_a_voice_like_those_that_went_on_before_is_not_near(
    noise: Callable[..., Pcm], frames_of: Callable[[Pcm], list[Pcm]]
) -> None:
    gate = EnergyGate()
    passed(gate, frames_of(noise(64, -40)), 0.6)
    gate.is_loud(noise(1, -38))
    assert not gate.near
    gate.is_loud(noise(1, -30))
    assert gate.near


@pytest.mark.parametrize(("frames", "probability"), [(64, 0.1), (7, 0.9)])
def test_where_nobody_talked_every_voice_is_near(
    noise: Callable[..., Pcm],
    frames_of: Callable[[Pcm], list[Pcm]],
    frames: int,
    probability: float,
) -> None:
    gate = EnergyGate()
    passed(gate, frames_of(noise(frames, -40)), probability)
    gate.is_loud(noise(1, -40))
    assert gate.near


def test_a_television_that_is_off_is_forgotten(
    noise: Callable[..., Pcm], frames_of: Callable[[Pcm], list[Pcm]]
) -> None:
    gate = EnergyGate()
    passed(gate, frames_of(noise(64, -40)), 0.6)
    passed(gate, frames_of(noise(60, -60)), 0.0)
    gate.is_loud(noise(1, -45))
    assert gate.near


def test_frames_that_turn_out_to_be_speech_did_not_go_on_before(
    noise: Callable[..., Pcm], frames_of: Callable[[Pcm], list[Pcm]]
) -> None:
    gate = EnergyGate()
    for _ in range(20):
        passed(gate, frames_of(noise(4, -40)), 0.9)
        gate.take_back(4)
    gate.is_loud(noise(1, -40))
    assert gate.near
