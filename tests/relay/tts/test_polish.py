"""What a model spoke is cut, levelled and faded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from relay.tts.polish import PEAK, TARGET_DBFS, pause_after, polish

RATE = 24_000


def voice(seconds: float, level: float) -> NDArray[np.float32]:
    """A steady tone; its RMS is level / sqrt(2)."""
    wave = np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)
    return (level * wave).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def test_dead_air_at_both_ends_goes_and_the_pause_between_words_stays() -> None:
    spoken = np.concatenate(
        [silence(0.6), voice(0.5, 0.3), silence(0.3), voice(0.5, 0.3), silence(0.8)]
    )
    length_s = len(polish(spoken, RATE, 0.0)) / RATE
    assert length_s == pytest.approx(1.3, abs=0.09)


@pytest.mark.parametrize("level", [0.02, 0.1, 0.5, 1.0])
def test_every_clause_is_equally_loud(level: float) -> None:
    spoken = polish(np.concatenate([voice(1.0, level), silence(0.5)]), RATE, 0.0)
    middle = spoken[RATE // 4 : RATE // 2].astype(float) / 32768
    loudness = 20 * np.log10(np.sqrt(np.square(middle).mean()))
    assert loudness == pytest.approx(TARGET_DBFS, abs=0.2)


def test_a_peak_is_never_clipped() -> None:
    spoken = voice(1.0, 0.05)
    spoken[RATE // 2] = 1.0
    assert np.abs(polish(spoken, RATE, 0.0).astype(int)).max() <= round(PEAK * 32767) + 1


def test_it_begins_and_ends_at_rest() -> None:
    spoken = polish(voice(0.5, 0.5), RATE, 0.0).astype(int)
    assert abs(spoken[0]) < 50
    assert abs(spoken[-1]) < 50


def test_the_pause_is_silence_of_its_length() -> None:
    without, with_pause = (polish(voice(0.5, 0.5), RATE, pause_s) for pause_s in (0.0, 0.25))
    assert len(with_pause) - len(without) == RATE // 4
    assert not with_pause[len(without) :].any()


@pytest.mark.parametrize("samples", [silence(0), silence(1), silence(0.001), silence(1) + 1e-6])
def test_silence_is_nothing(samples: NDArray[np.float32]) -> None:
    assert len(polish(samples, RATE, 0.25)) == 0


def test_a_model_gone_wrong_is_silence_and_not_noise() -> None:
    assert len(polish(np.full(RATE, np.nan, np.float32), RATE, 0.25)) == 0


@settings(max_examples=30)
@given(st.integers(1, 2000), st.floats(0.001, 4.0))
def test_any_length_and_level_stays_within_bounds(samples: int, level: float) -> None:
    noise = np.random.default_rng(samples).normal(0, level, samples).astype(np.float32)
    spoken = polish(noise, RATE, 0.0)
    assert len(spoken) <= samples
    assert np.abs(spoken.astype(int)).max(initial=0) <= round(PEAK * 32767) + 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("응,", 0.12), ("응.", 0.25), ('"응?"', 0.25), ("좋아!~", 0.25), ("응", 0.04), ("", 0.04)],
)
def test_the_pause_is_that_of_the_mark_at_the_end(text: str, seconds: float) -> None:
    assert pause_after(text) == seconds
