"""The vocoder drawn anew sounds as the published one, and its pieces join without a seam."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from relay.models import KOKORO, ensure
from relay.tts.kokoro_engine import (
    FRAME_SAMPLES,
    RATE_HZ,
    STYLE,
    Floats,
    KokoroEngine,
    Plan,
    numbered,
    session,
    vocabulary,
    voice_styles,
)
from relay.tts.kokoro_split import FRONT, prepared
from relay.tts.phonemes import to_phonemes
from relay.tts.vocoder_graph import VocoderGraph

pytestmark = pytest.mark.models

VOICE = "jf_gongitsune"
TEXT = "이건 아무도 고르지 않은 문장이야."


@pytest.fixture(scope="module")
def home() -> Path:
    return ensure(KOKORO)


@pytest.fixture(scope="module")
def engine(home: Path) -> KokoroEngine:
    return KokoroEngine(home, threads=1)


@pytest.fixture(scope="module")
def plan(engine: KokoroEngine) -> Plan:
    plan = engine.plan(to_phonemes(TEXT, "ko"), VOICE, 0.9)
    assert plan is not None
    return plan


def spectrogram(samples: Floats) -> Floats:
    """In dB, shape (moments, 12 bands)."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, 512)[::128] * np.hanning(512)
    power = np.abs(np.fft.rfft(windows)) ** 2
    bands = np.add.reduceat(power, [1, 3, 5, 8, 12, 17, 24, 34, 48, 68, 96, 136], axis=1)
    return np.asarray(10 * np.log10(bands + 1e-6), np.float32)


def difference_db(one: Floats, other: Floats) -> float:
    """Mean difference of the spectra where there is sound."""
    first, second = spectrogram(one), spectrogram(other)
    loud = first.max(axis=1) > first.max() - 40
    return float(np.abs(first - second)[loud].mean())


def test_with_its_own_statistics_it_is_the_published_one(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "measuring.onnx"
    published = home / KOKORO.files[0].name
    onnx.save(VocoderGraph(onnx.load(published), measuring=True).build(), path)
    clause = numbered(to_phonemes(TEXT, "ko"), vocabulary(home))
    style = voice_styles(home)[VOICE][len(clause) - 1]
    inputs = {
        "tokens": np.array([[0, *clause, 0]], np.int64),
        "style": style,
        "speed": np.ones(1, np.float32),
    }
    wanted = session(published, threads=2).run(None, inputs)[0].ravel()
    front = session(prepared(home) / FRONT, threads=2)
    features, source = front.run(["features", "source"], inputs)
    given = {"features": features, "source": source, "style": style[:, :STYLE]}
    audio = session(path, threads=2).run(["audio"], given)[0]
    assert len(audio) == len(wanted)
    # Rounded sums differ by 1.5 dB or so in both; a wrong weight is 10 dB and more.
    assert difference_db(wanted, audio) < 2.5
    assert np.corrcoef(wanted, audio)[0, 1] > 0.97


def test_pieces_join_without_a_seam(engine: KokoroEngine, plan: Plan) -> None:
    pieces = [engine.sound(plan, piece) for piece in range(plan.pieces)]
    assert plan.pieces > 2
    whole = engine.sound(replace(plan, edges=(plan.edges[0], plan.edges[-1])), 0)
    joined = np.concatenate(pieces)
    assert len(joined) == len(whole)
    assert difference_db(whole, joined) < 2.5
    steps = np.abs(np.diff(joined))
    for edge in plan.edges[1:-1]:
        place = (edge - plan.edges[0]) * FRAME_SAMPLES
        margin = RATE_HZ // 50
        around = np.r_[steps[place - margin : place - 2], steps[place + 1 : place + margin]]
        assert steps[place - 1] <= max(1.2 * around.max(), 0.002)


def test_all_clauses_are_equally_loud(engine: KokoroEngine) -> None:
    levels = []
    for text, language in (("응.", "ko"), ("정말이야?", "ko"), (TEXT, "ko"), ("Good night.", "en")):
        plan = engine.plan(to_phonemes(text, language), VOICE, 1.0)
        assert plan is not None
        samples = np.concatenate([engine.sound(plan, piece) for piece in range(plan.pieces)])
        windows = samples[: len(samples) // 240 * 240].reshape(-1, 240)
        loudness = np.sqrt(np.square(windows).mean(axis=1))
        voiced = loudness[loudness > loudness.max() * 10 ** (-25 / 20)]
        levels.append(20 * np.log10(np.sqrt(np.square(voiced).mean())))
    assert max(levels) - min(levels) < 3.5
    assert -22 < np.mean(levels) < -18


def test_every_voice_has_its_statistics(home: Path, engine: KokoroEngine) -> None:
    made = prepared(home)
    with np.load(made / "statistics.npz") as statistics:
        assert sorted(statistics.files) == engine.voices
        shapes = {statistics[voice].shape for voice in statistics.files}
    assert shapes == {(2, 8448)}
    assert set(json.loads((made / "made.json").read_text())) == {
        "front.onnx",
        "vocoder.onnx",
        "statistics.npz",
    }
