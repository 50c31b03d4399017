"""The spectrogram is the one that Whisper was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from relay.audio import RATE_HZ
from relay.stt.features import log_mel


@pytest.mark.parametrize("bands", [80, 128])
def test_it_equals_faster_whispers(bands: int) -> None:
    faster_whisper = pytest.importorskip("faster_whisper.feature_extractor")
    noise = np.random.default_rng(0).normal(0, 3000, 3 * RATE_HZ).astype(np.int16)
    padded = np.pad(noise.astype(np.float32) / 32768, (0, 8 * RATE_HZ))
    theirs = faster_whisper.FeatureExtractor(feature_size=bands)(padded, padding=False)
    ours = log_mel(noise, 8.0, bands)
    assert ours.shape == (1, *theirs.shape)
    assert np.allclose(ours[0], theirs, atol=1e-5)


@pytest.mark.parametrize("samples", [2_400, 2_401, 16_159, 480_000])
def test_its_frames_are_even_in_number_and_never_more_than_the_model_takes(samples: int) -> None:
    frames = log_mel(np.ones(samples, np.int16), 8.0).shape[2]
    assert frames % 2 == 0
    assert frames <= 3000
    assert frames >= min(3000, samples // 160 + 799)


def test_a_tone_is_loudest_in_the_band_of_its_pitch() -> None:
    tone = 8000 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    mel = log_mel(tone.astype(np.int16), 0.0)[0, :, 50]
    # 1 kHz is 15 mel of the 45.2 mel up to 8 kHz.
    assert abs(int(mel.argmax()) - 80 * 15 / 45.2) < 1.5
