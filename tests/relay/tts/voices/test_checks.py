from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from relay.tts.voices.checks import Judgement, Kind, Recording, judge
from tests.relay.tts.voices.sounds import judged, noise, voice

PAUSE = np.zeros(16_000, np.float32)  # a second


def kinds(judgement: Judgement) -> set[Kind]:
    return {finding.kind for finding in judgement.findings}


def spoken(
    sound: NDArray[np.float32], hum: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    """`sound` between two pauses, with `hum` under all of it."""
    samples = np.concatenate((PAUSE, sound, PAUSE))
    if hum is not None:
        samples = samples + hum[: len(samples)]
    return samples, [(1.0, 1.0 + len(sound) / 16_000)]


def test_a_good_recording_is_fine() -> None:
    found = judged(*spoken(voice(8), noise(10, -60)))
    assert found.findings == ()
    assert found.speech_s == pytest.approx(8, abs=0.1)
    assert (found.start_s, found.end_s) == pytest.approx((1, 9), abs=0.05)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1.0, {Kind.TOO_SHORT}),
        (2.8, {Kind.TOO_SHORT}),
        (3.2, set()),
        (29, set()),
        (32, {Kind.TOO_LONG}),
    ],
)
def test_the_length_of_the_speech_counts_not_that_of_the_file(
    seconds: float, expected: set[Kind]
) -> None:
    assert kinds(judged(*spoken(voice(seconds)))) == expected


def test_silence_is_hopeless_and_nothing_else_is_said_of_it() -> None:
    found = judged(np.zeros(160_000, np.float32), [])
    assert kinds(found) == {Kind.SILENT}
    assert found.findings[0].hopeless
    assert kinds(judged(np.zeros(0, np.float32), [])) == {Kind.SILENT}


@pytest.mark.parametrize(
    ("db", "expected"),
    [(-60, set()), (-36, {Kind.A_LITTLE_NOISY}), (-20, {Kind.NOISY})],
)
def test_noise_in_the_pauses_is_heard(db: float, expected: set[Kind]) -> None:
    assert kinds(judged(*spoken(voice(6), noise(8, db)))) == expected


def test_the_distance_of_speech_and_noise_is_told() -> None:
    sound = voice(6)
    level = 10 * np.log10(np.square(sound).mean())
    found = judged(*spoken(sound, noise(8, level - 20)))
    assert found.snr_db == pytest.approx(20, abs=0.5)


def test_noise_counts_also_where_nobody_pauses() -> None:
    syllables = voice(8) * (np.sin(np.arange(128_000) / 16_000 * 2 * np.pi * 4) > -0.5)
    samples = (syllables + noise(8, -20)).astype(np.float32)
    assert kinds(judged(samples, [(0, 8)])) == {Kind.NOISY}


@pytest.mark.parametrize(
    ("gain", "expected"), [(1.9, set()), (1.98, {Kind.A_LITTLE_CLIPPED}), (4.0, {Kind.CLIPPED})]
)
def test_clipping_is_seen(gain: float, expected: set[Kind]) -> None:
    assert (
        kinds(judged(*spoken(np.clip(voice(6) * gain, -1, 1))))
        & {
            Kind.CLIPPED,
            Kind.A_LITTLE_CLIPPED,
        }
        == expected
    )


@pytest.mark.parametrize(
    ("gain", "expected"), [(0.3, set()), (0.05, {Kind.QUIET}), (0.01, {Kind.TOO_QUIET})]
)
def test_quiet_speech_is_told(gain: float, expected: set[Kind]) -> None:
    assert kinds(judged(*spoken((voice(6) * gain).astype(np.float32)))) == expected


def test_a_telephone_is_noticed_whatever_rate_the_file_has() -> None:
    samples, where = spoken(voice(6))
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / 16_000) > 3_500] = 0
    narrow = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    assert kinds(judged(narrow, where)) == {Kind.NARROW}


def test_a_low_rate_is_told_once() -> None:
    samples, _ = spoken(voice(6))
    heard = (samples * 32_767).astype(np.int16)
    low = Recording(samples[::2].copy(), 8_000)
    found = judge(low, heard, np.full(len(heard) // 512, 0.99))
    assert kinds(found) == {Kind.LOW_RATE}


def test_a_man_and_a_child_are_two_voices() -> None:
    turns = [voice(2, 110), PAUSE, voice(2, 260), PAUSE, voice(2, 115)]
    found = judged(np.concatenate(turns), [(0, 2), (3, 5), (6, 8)])
    assert kinds(found) == {Kind.TWO_VOICES}
    assert found.findings[0].value == pytest.approx(14.5, abs=1.5)
    assert found.findings[0].bearable  # it may be one who reads a story with two voices


def test_one_who_reads_lively_is_one_voice() -> None:
    turns = [voice(2, 190), PAUSE, voice(2, 235), PAUSE, voice(2, 210)]
    assert kinds(judged(np.concatenate(turns), [(0, 2), (3, 5), (6, 8)])) == set()


def test_a_cough_in_between_is_no_second_voice() -> None:
    turns = [voice(4, 200), PAUSE, voice(0.4, 90), PAUSE, voice(4, 200)]
    assert kinds(judged(np.concatenate(turns), [(0, 4), (5, 5.4), (6.4, 10.4)])) == set()


def test_a_frame_needs_its_probability() -> None:
    with pytest.raises(ValueError, match="each whole frame"):
        judge(Recording(PAUSE, 16_000), PAUSE.astype(np.int16), np.zeros(3))


@given(st.lists(st.floats(0, 1), min_size=8, max_size=120), st.integers(0, 9))
def test_any_recording_gets_a_judgement(speech: list[float], seed: int) -> None:
    random = np.random.default_rng(seed)
    heard = random.integers(-32_768, 32_767, 512 * len(speech)).astype(np.int16)
    found = judge(Recording(heard / np.float32(32_768), 16_000), heard, np.array(speech))
    assert 0 <= found.start_s <= found.end_s <= len(heard) / 16_000 + 1e-9
    assert np.isfinite([found.snr_db, found.loudness_db]).all()
