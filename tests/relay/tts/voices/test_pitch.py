from __future__ import annotations

import numpy as np
import pytest

from relay.tts.voices import pitch
from tests.relay.tts.voices.sounds import noise, voice


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
@pytest.mark.parametrize("hertz", [80, 110, 150, 220, 300, 420])
def test_the_pitch_of_a_voice_is_found(hertz: float, rate_hz: int) -> None:
    found = pitch.track(voice(1, hertz, rate_hz), rate_hz)
    voiced = found[np.isfinite(found)]
    assert len(voiced) > 0.8 * len(found)
    assert np.median(voiced) == pytest.approx(12 * np.log2(hertz / 55), abs=0.7)


def test_noise_and_silence_have_none() -> None:
    assert np.isnan(pitch.track(noise(1, -20), 16_000)).mean() > 0.95
    assert np.isnan(pitch.track(np.zeros(16_000, np.float32), 16_000)).all()
    assert len(pitch.track(np.zeros(100, np.float32), 16_000)) == 0


def test_groups_are_told_apart_by_the_widest_step() -> None:
    low, high = np.full(100, 12.0), np.full(50, 24.0)
    assert pitch.registers([low, high, low + 1]) == (pytest.approx(12.0, abs=1), pytest.approx(0.2))
    assert pitch.registers([low]) == (0.0, 0.0)
    assert pitch.registers([low, np.full(100, np.nan)]) == (0.0, 0.0)
