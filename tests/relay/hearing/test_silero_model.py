from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing import silero_model
from relay.hearing.base import DetectorUnavailableError
from relay.hearing.silero_model import (
    CONTEXT_SAMPLES,
    CROWD,
    WARM_UP_FRAMES,
    SileroModel,
    find_model,
)

Noise = Callable[..., Pcm]
Cut = Callable[[Pcm], list[Pcm]]


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


def probabilities(model: SileroModel, frames: list[Pcm]) -> list[float]:
    state, heard = model.fresh(), []
    for frame in frames:
        [probability], [state] = model.step([frame], [state])
        heard.append(probability)
    return heard


def as_shipped(frames: list[Pcm]) -> list[float]:
    """What the unchanged file makes of silence and then `frames`, read as one stream in time."""
    import onnxruntime

    frames = [np.zeros(FRAME_SAMPLES, np.int16)] * WARM_UP_FRAMES + frames
    samples = np.concatenate(frames).astype(np.float32) / 32768
    padded = np.concatenate((np.zeros(CONTEXT_SAMPLES, np.float32), samples))
    windows = np.stack([
        padded[at : at + CONTEXT_SAMPLES + FRAME_SAMPLES]
        for at in range(0, len(samples), FRAME_SAMPLES)
    ])  # fmt: skip
    zeros = np.zeros((1, 1, 128), np.float32)
    session = onnxruntime.InferenceSession(str(find_model()), providers=["CPUExecutionProvider"])
    [heard, *_] = session.run(None, {"input": windows, "h": zeros, "c": zeros})
    return [float(p) for p in heard[WARM_UP_FRAMES:]]


@pytest.mark.models
def test_it_hears_what_the_shipped_network_hears(
    model: SileroModel, question: Pcm, frames_of: Cut
) -> None:
    frames = frames_of(question)
    assert probabilities(model, frames) == pytest.approx(as_shipped(frames), abs=1e-5)


@pytest.mark.models
def test_twenty_streams_in_one_call_are_as_twenty_alone(
    model: SileroModel, question: Pcm, frames_of: Cut
) -> None:
    streams = [frames_of(question[shift * 700 :])[:40] for shift in range(20)]
    states, together = [model.fresh() for _ in streams], []
    for frames in zip(*streams, strict=True):
        heard, states = model.step(frames, states)
        together.append(heard)
    alone = [probabilities(model, frames) for frames in streams]
    np.testing.assert_allclose(np.array(together).T, alone, atol=1e-5)


@pytest.mark.models
def test_a_person_is_voice_and_noise_and_silence_are_not(
    model: SileroModel, question: Pcm, noise: Noise, frames_of: Cut
) -> None:
    assert sum(p > 0.5 for p in probabilities(model, frames_of(question))) > 30
    assert max(probabilities(model, frames_of(noise(60, -30)))) < 0.3
    assert max(probabilities(model, frames_of(np.zeros(60 * FRAME_SAMPLES, np.int16)))) < 0.1


@pytest.mark.models
def test_a_step_leaves_the_given_state_as_it_is(
    model: SileroModel, question: Pcm, frames_of: Cut
) -> None:
    state, frame = model.fresh(), frames_of(question)[20]
    first = model.step([frame], [state])[0]
    assert model.step([frame], [state])[0] == first


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "silero_vad_v6.onnx"
    other.write_bytes(b"another model altogether")
    monkeypatch.setattr(silero_model, "find_model", lambda: other)
    with pytest.raises(DetectorUnavailableError, match=r"pip install 'talking-doll\[embedded\]'"):
        SileroModel()


def test_without_the_model_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DetectorUnavailableError, match=r"pip install 'talking-doll\[embedded\]'"):
        find_model()


@pytest.mark.models
def test_a_crowd_is_heard_with_onnx_runtime_and_a_few_dolls_without(
    question: Pcm, frames_of: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = silero_model._onnx_network
    monkeypatch.setattr(
        silero_model, "_onnx_network", lambda threads: (asked.append(threads), real(threads))[1]
    )
    model, frame = SileroModel(), frames_of(question)[20]
    few, many = CROWD - 1, CROWD
    before, _ = model.step([frame] * few, [model.fresh() for _ in range(few)])
    assert asked == []
    after, _ = model.step([frame] * many, [model.fresh() for _ in range(many)])
    model.step([frame] * many, [model.fresh() for _ in range(many)])
    assert asked == [1]
    assert after[:few] == pytest.approx(before, abs=1e-5)


@pytest.mark.models
def test_without_onnx_runtime_a_crowd_is_heard_too(
    question: Pcm, frames_of: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model, frame = SileroModel(), frames_of(question)[20]
    [alone], _ = model.step([frame], [model.fresh()])
    together, _ = model.step([frame] * CROWD, [model.fresh() for _ in range(CROWD)])
    assert together == pytest.approx([alone] * CROWD, abs=1e-5)
