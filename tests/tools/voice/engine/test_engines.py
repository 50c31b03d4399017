"""Each adapter calls its package as the package can be called."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from relay.audio import Pcm
from relay.llm.extras import MissingExtraError
from tests.fakes.openai_audio import TONE, VOICE_HZ
from tests.tools.voice.engine import packages
from tools.voice.engine.base import Sample, UnknownLanguageError
from tools.voice.engine.chatterbox import ChatterboxEngine
from tools.voice.engine.qwen import MODEL, QwenEngine

SAMPLE = Sample(TONE, VOICE_HZ, "안녕, 나는 진주야.", "ko")


def install(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def qwen(monkeypatch: pytest.MonkeyPatch) -> QwenEngine:
    install(monkeypatch, packages.torch(), packages.qwen_tts())
    return QwenEngine.load()


@pytest.fixture
def chatterbox(monkeypatch: pytest.MonkeyPatch) -> ChatterboxEngine:
    module = packages.mtl_tts()
    install(monkeypatch, packages.torch(), ModuleType("chatterbox"), module)
    return ChatterboxEngine.load()


def is_the_tone(pieces: list[tuple[Pcm, int]]) -> bool:
    ((pcm, rate_hz),) = pieces
    close = np.allclose(pcm / 32767, packages.TONE, atol=1e-4)
    return pcm.dtype == np.int16 and rate_hz == packages.RATE_HZ and close


def test_qwen_imitates_the_manner_where_the_text_is_known(qwen: QwenEngine) -> None:
    voice = qwen.learn(SAMPLE)
    assert is_the_tone(list(qwen.speak(voice, "잘 자.", "ko")))
    (asked,) = qwen._model.asked
    assert (asked["text"], asked["language"]) == ("잘 자.", "Korean")
    assert asked["voice"] == [{"rate_hz": VOICE_HZ, "text": SAMPLE.text, "timbre_only": False}]


def test_qwen_takes_the_timbre_alone_where_it_is_not(qwen: QwenEngine) -> None:
    voice = qwen.learn(Sample(TONE, VOICE_HZ, "", "ko"))
    assert voice[0]["timbre_only"]
    assert is_the_tone(list(qwen.speak(voice, "Dobrý den", "cs")))  # left to the model
    assert qwen._model.asked[0]["language"] == "Auto"


@pytest.mark.parametrize(
    ("cuda", "device", "expected"),
    [
        (False, "auto", {"device_map": "cpu", "dtype": "float32"}),
        (True, "auto", {"device_map": "cuda", "dtype": "bfloat16"}),
        (True, "cuda:1", {"device_map": "cuda:1", "dtype": "bfloat16"}),
        (True, "cpu", {"device_map": "cpu", "dtype": "float32"}),
    ],
)
def test_qwen_runs_where_it_is_told_or_where_it_is_fast(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, device: str, expected: dict[str, str]
) -> None:
    install(monkeypatch, packages.torch(cuda=cuda), packages.qwen_tts())
    engine = QwenEngine.load(device=device)
    assert engine._model.name == MODEL
    assert engine._model.kwargs == expected
    assert QwenEngine.load("/srv/qwen")._model.name == "/srv/qwen"


def test_chatterbox_speaks_with_the_voice_of_each_clause(chatterbox: ChatterboxEngine) -> None:
    one = chatterbox.learn(SAMPLE)
    other = chatterbox.learn(Sample(TONE[:6_000], VOICE_HZ, "", "en"))
    assert is_the_tone(list(chatterbox.speak(one, "잘 자.", "ko")))
    assert is_the_tone(list(chatterbox.speak(other, "Good night.", "en")))
    assert [asked["voice"] for asked in chatterbox._model.asked] == [one, other]
    assert one != other


def test_chatterbox_says_which_languages_it_has(chatterbox: ChatterboxEngine) -> None:
    with pytest.raises(UnknownLanguageError, match="ko"):
        next(chatterbox.speak(chatterbox.learn(SAMPLE), "Dobrý den", "cs"))


def test_chatterbox_loads_a_folder(
    monkeypatch: pytest.MonkeyPatch, chatterbox: ChatterboxEngine
) -> None:
    loaded = ChatterboxEngine.load("/srv/chatterbox", "cuda")
    assert (loaded._model.folder, loaded._model.device) == ("/srv/chatterbox", "cuda")
    assert (chatterbox._model.folder, chatterbox._model.device) == ("", "cpu")


@pytest.mark.parametrize(
    ("load", "package", "extra"),
    [
        (QwenEngine.load, "qwen_tts", "voice-qwen"),
        (ChatterboxEngine.load, "chatterbox.mtl_tts", "voice-chatterbox"),
    ],
)
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, load: type, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, package.partition(".")[0], None)
    with pytest.raises(MissingExtraError, match=rf"talking-doll\[{extra}\]"):
        load()
