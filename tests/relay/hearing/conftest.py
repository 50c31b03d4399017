from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm

_QUESTIONS = Path(__file__).parents[3] / "tools" / "demo" / "questions"


@pytest.fixture(scope="session")
def question() -> Pcm:
    """A person asks "seven plus five equals" in English; 16 kHz."""
    with wave.open(str(_QUESTIONS / "en-arithmetic.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE_HZ, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


@pytest.fixture(scope="session")
def noise() -> Callable[..., Pcm]:
    """`noise(frames, db, seed=0)`: white noise at a level in dB of full scale."""

    def make(frames: int, db: float, seed: int = 0) -> Pcm:
        samples = np.random.default_rng(seed).standard_normal(frames * FRAME_SAMPLES)
        return np.clip(samples * 32768 * 10 ** (db / 20), -32768, 32767).astype(np.int16)

    return make


@pytest.fixture(scope="session")
def frames_of() -> Callable[[Pcm], list[Pcm]]:
    """The whole frames of some samples."""

    def cut(pcm: Pcm) -> list[Pcm]:
        whole = len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES
        return list(pcm[:whole].reshape(-1, FRAME_SAMPLES))

    return cut
