"""With the real voice detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relay.tts.voices.checks import Kind
from relay.tts.voices.prepare import MARGIN_S, PEAK, prepare
from relay.tts.voices.recording import decode
from tests.relay.tts.voices.sounds import noise, wav_of

pytestmark = pytest.mark.models

QUESTIONS = Path(__file__).parents[4] / "tools/demo/questions"


def somebody(gain: float = 1.0, hum_db: float = -70.0) -> bytes:
    """Seven seconds of somebody's Korean, with a second of the room before and behind it."""
    clauses = [
        decode((QUESTIONS / f"ko-{name}.wav").read_bytes()) for name in ("song", "name", "likes")
    ]
    speech = np.concatenate([clause.samples for clause in clauses] * 2) * gain
    room = np.zeros(16_000, np.float32)
    samples = np.concatenate((room, speech, room))
    return wav_of(samples + noise(len(samples) / 16_000, hum_db))


def test_a_good_recording_is_cut_to_the_speech_and_made_as_loud_as_others() -> None:
    prepared = prepare(somebody(gain=0.3))
    assert prepared.judgement.findings == ()
    whole = decode(somebody()).seconds
    assert whole - 3 < prepared.seconds < whole - 2 + 2 * MARGIN_S + 0.2
    assert np.abs(prepared.sample.astype(int)).max() / 32_767 == pytest.approx(PEAK, abs=0.01)
    kept = decode(prepared.wav())
    assert (kept.rate_hz, len(kept.samples)) == (prepared.rate_hz, len(prepared.sample))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (lambda: somebody(hum_db=-32), Kind.NOISY),
        (lambda: somebody(gain=0.02, hum_db=-95), Kind.TOO_QUIET),
        (lambda: wav_of(noise(8, -30)), Kind.SILENT),
        (lambda: (QUESTIONS / "ko-song.wav").read_bytes(), Kind.TOO_SHORT),
    ],
)
def test_what_is_wrong_is_found(data: object, kind: Kind) -> None:
    found = {finding.kind for finding in prepare(data()).judgement.findings}  # type: ignore[operator]
    assert kind in found


def test_a_recording_of_a_few_samples_is_silence() -> None:
    prepared = prepare(wav_of(noise(0.01, -30)))
    assert {finding.kind for finding in prepared.judgement.findings} == {Kind.SILENT}
