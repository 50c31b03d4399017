from __future__ import annotations

import numpy as np
import pytest

from relay.resample import Resampler


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(48_000, 24_000), (22_050, 16_000), (8_000, 24_000)]
)
def test_what_comes_out_lasts_as_long_as_what_went_in(from_hz: int, to_hz: int) -> None:
    second = (8_000 * np.sin(2 * np.pi * 440 / from_hz * np.arange(from_hz))).astype(np.int16)
    resampler = Resampler(from_hz, to_hz)
    pieces = [resampler.push(second[at : at + 700]) for at in range(0, from_hz, 700)]
    heard = np.concatenate([*pieces, resampler.flush()])
    assert heard.dtype == np.int16
    assert len(heard) == pytest.approx(to_hz, abs=2)
    tone = np.argmax(np.abs(np.fft.rfft(heard)))
    assert tone * to_hz / len(heard) == pytest.approx(440, abs=1)


def test_equal_rates_change_nothing() -> None:
    pcm = np.arange(100, dtype=np.int16)
    resampler = Resampler(16_000, 16_000)
    assert resampler.push(pcm) is pcm
    assert len(resampler.flush()) == 0
