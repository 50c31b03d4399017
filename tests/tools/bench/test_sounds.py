from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from tools.bench import sounds

_MADE = [sounds.pink_noise, sounds.music, sounds.singing]


@pytest.mark.parametrize("make", _MADE)
@pytest.mark.parametrize("samples", [RATE_HZ, 3 * RATE_HZ + 7])
def test_a_sound_has_the_length_that_was_asked_for_and_a_power_of_one(
    make: Callable[..., sounds.Sound], samples: int
) -> None:
    sound = make(samples)
    assert len(sound) == samples
    assert np.square(sound).mean() == pytest.approx(1)
    np.testing.assert_array_equal(make(samples), sound)  # each run measures with the same


def test_pink_noise_falls_by_three_decibels_an_octave() -> None:
    power = np.square(np.abs(np.fft.rfft(sounds.pink_noise(8 * RATE_HZ))))
    octaves = [power[8 * hz : 16 * hz].mean() for hz in (100, 200, 400, 800, 1600)]
    steps = 10 * np.log10(np.divide(octaves[:-1], octaves[1:]))
    np.testing.assert_allclose(steps, 3, atol=0.5)


def tone(seconds: float, level: float) -> Pcm:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def test_noise_is_as_much_below_the_speech_as_was_asked_for_whatever_the_silence_around_it() -> (
    None
):
    still = np.zeros(RATE_HZ, np.int16)
    speech = np.concatenate((still, tone(1, 8000), still))
    noise = sounds.mixed(speech, sounds.pink_noise(len(speech)), 10) - speech.astype(float)
    power_db = 10 * np.log10(
        np.square(tone(1, 8000).astype(float)).mean() / np.square(noise).mean()
    )
    assert power_db == pytest.approx(10, abs=0.2)


def test_what_is_trimmed_begins_and_ends_with_sound() -> None:
    still = np.zeros(RATE_HZ // 2, np.int16)
    speech = np.concatenate((still, tone(0.5, 8000), still, tone(0.5, 8000), still))
    assert len(sounds.trimmed(speech)) == pytest.approx(1.5 * RATE_HZ, abs=RATE_HZ // 50)


def test_a_babble_of_one_voice_is_that_voice_smeared() -> None:
    babble = sounds.babble([tone(1, 8000)], 2 * RATE_HZ)
    spectrum = np.abs(np.fft.rfft(babble))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=2)
    assert np.square(babble).mean() == pytest.approx(1)
