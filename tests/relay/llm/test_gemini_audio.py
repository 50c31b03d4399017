from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from relay.audio import RATE_HZ, Pcm
from relay.llm.gemini_audio import flac, worth_hearing
from tools.simulator.wav import read_question

QUESTIONS = sorted((Path(__file__).parents[3] / "tools/demo/questions").glob("*.wav"))


def noise(rms: float, seconds: float = 1.0) -> Pcm:
    samples = np.random.default_rng(1).normal(0, rms, int(seconds * RATE_HZ))
    return samples.astype(np.int16)


def test_flac_holds_every_sample() -> None:
    sent = noise(3_000)
    samples, rate = soundfile.read(io.BytesIO(flac(sent)), dtype="int16")
    assert rate == RATE_HZ
    assert np.array_equal(samples, sent)


def test_an_endless_utterance_loses_its_beginning() -> None:
    sent = np.arange(70 * RATE_HZ, dtype=np.int64).astype(np.int16)
    samples, _ = soundfile.read(io.BytesIO(flac(sent)), dtype="int16")
    assert np.array_equal(samples, sent[10 * RATE_HZ :])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_speech_is_worth_hearing_also_when_it_is_far_away(question: Path) -> None:
    pcm = read_question(question)
    assert worth_hearing(pcm)
    assert worth_hearing((pcm // 16).astype(np.int16))  # 24 dB quieter
    assert len(flac(pcm)) < len(pcm)  # half of a WAV


@pytest.mark.parametrize(
    "pcm",
    [
        np.zeros(0, np.int16),
        np.zeros(RATE_HZ, np.int16),
        np.full(RATE_HZ, 1_500, np.int16),  # an offset of the microphone
        noise(20),
        noise(3_000, 0.15),
    ],
    ids=["nothing", "silence", "offset", "hiss", "click"],
)
def test_what_cannot_be_speech_is_not(pcm: Pcm) -> None:
    assert not worth_hearing(pcm)
