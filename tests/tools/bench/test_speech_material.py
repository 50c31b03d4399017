from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from relay.audio import RATE_HZ
from tests.fakes.tts import FakeTextToSpeech
from tools.bench import speech_material
from tools.bench.speech_material import MaterialError, Sentence, english, korean

_SETS = Path(speech_material.__file__).parent / "hesitations"


async def test_a_sentence_has_a_pause_at_each_hesitation_and_none_around_it() -> None:
    lines = tomllib.loads((_SETS / "tuning.toml").read_text("utf-8"))["ko"]
    sentences = await korean(FakeTextToSpeech(seconds_per_clause=0.5), "tuning")
    assert len(sentences) == len(lines)
    for line, sentence in zip(lines, sentences, strict=True):
        assert len(sentence.pauses_s) == line.count(" | ") == len(sentence.parts) - 1
        assert all(0.2 <= pause <= 1.0 for pause in sentence.pauses_s)
        expected = sum(map(len, sentence.parts)) / RATE_HZ + sum(sentence.pauses_s)
        assert len(sentence.pcm) / RATE_HZ == pytest.approx(expected, abs=0.001)
        assert np.abs(sentence.pcm[: RATE_HZ // 20]).max() > 100
        assert np.abs(sentence.pcm[-RATE_HZ // 20 :]).max() > 100


async def test_every_run_measures_with_the_same_pauses() -> None:
    def pauses(sentences: list[Sentence]) -> list[tuple[float, ...]]:
        return [sentence.pauses_s for sentence in sentences]

    tts = FakeTextToSpeech(seconds_per_clause=0.5)
    assert pauses(await korean(tts, "tuning")) == pauses(await korean(tts, "tuning"))


def test_without_the_recordings_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(speech_material, "PROMPTS", tmp_path / "none")
    with pytest.raises(MaterialError, match="apt-get install asterisk-core-sounds-en-wav"):
        english("held-out")


@pytest.mark.parametrize(("file", "key"), [("tuning", "ko"), ("tuning", "en")])
def test_what_tuned_never_measures(file: str, key: str) -> None:
    def read(name: str) -> dict[str, list[str]]:
        return tomllib.loads((_SETS / f"{name}.toml").read_text("utf-8"))

    assert not set(read("tuning")[key]) & set(read("held-out")[key])
    prompts = read("prompts")
    assert not set(prompts["tuning"]) & set(prompts["held-out"])
