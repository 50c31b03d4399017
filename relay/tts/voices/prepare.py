"""From a file to a sample that engines can use, and what is to be said about it. Blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from relay import wav
from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.silero_model import SileroModel
from relay.tts.voices.checks import Judgement, Recording, judge
from relay.tts.voices.recording import decode

#: Of silence that stays before and behind the speech.
MARGIN_S: Final = 0.2

#: No engine hears more than this, and it keeps a sample under 3 MB.
MOST_RATE_HZ: Final = 48_000

#: The peak of a sample that is kept, of full scale; nothing is made louder than by `MOST_GAIN`.
PEAK: Final = 0.7
MOST_GAIN: Final = 20.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording, judged, and what would be kept of it."""

    judgement: Judgement
    sample: Pcm  #: the speech with little around it, at an even loudness
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long `sample` is."""
        return len(self.sample) / self.rate_hz

    def wav(self) -> bytes:
        """`sample` as a file."""
        return wav.encode(self.sample, self.rate_hz)


def prepare(data: bytes) -> Prepared:
    """Read a recording of any kind and judge it; takes some 10 ms a second.

    Raises VoiceError, and DetectorUnavailableError without the embedded voice detector.
    """
    recording = decode(data)
    heard = _pcm(_resampled(recording, RATE_HZ))
    judgement = judge(recording, heard, speech_in(heard))
    rate_hz = min(recording.rate_hz, MOST_RATE_HZ)
    start = max(0, round((judgement.start_s - MARGIN_S) * rate_hz))
    end = round((judgement.end_s + MARGIN_S) * rate_hz)
    kept = _resampled(recording, rate_hz)[start:end]
    gain = min(PEAK / max(float(np.abs(kept).max(initial=0)), 1e-9), MOST_GAIN)
    return Prepared(judgement, _pcm(kept * gain), rate_hz)


def speech_in(heard: Pcm) -> NDArray[np.float64]:
    """How likely each whole frame (512 samples at 16 kHz) is speech."""
    model = SileroModel()
    state = model.fresh()
    probabilities = np.zeros(len(heard) // FRAME_SAMPLES)
    for number in range(len(probabilities)):
        frame = heard[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        answers, states = model.step([frame], [state])
        probabilities[number], state = answers[0], states[0]
    return probabilities


def _resampled(recording: Recording, rate_hz: int) -> NDArray[np.float32]:
    if recording.rate_hz == rate_hz:
        return recording.samples
    return np.asarray(soxr.resample(recording.samples, recording.rate_hz, rate_hz))


def _pcm(samples: NDArray[np.float32]) -> Pcm:
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
