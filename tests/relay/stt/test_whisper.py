"""The embedded recogniser hears human English, and nothing in silence and noise."""

from __future__ import annotations

import asyncio
import threading
import wave
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.models import WHISPER_BASE, ensure
from relay.stt.noise import Hearing, is_silent
from relay.stt.whisper import WhisperSpeechToText
from relay.stt.whisper_engine import WhisperEngine
from relay.worker import Worker
from tests.relay.stt.contract import SpeechToTextContract

QUESTION = Path(__file__).parents[3] / "tools" / "demo" / "questions" / "en-arithmetic.wav"


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    return WhisperEngine(ensure(WHISPER_BASE), threads=2, beam=5)


@pytest.fixture
def question() -> Pcm:
    with wave.open(str(QUESTION)) as recording:
        assert recording.getframerate() == RATE_HZ
        return np.frombuffer(recording.readframes(recording.getnframes()), np.int16)


@pytest.fixture
async def whisper(engine: WhisperEngine) -> AsyncIterator[WhisperSpeechToText]:
    whisper = WhisperSpeechToText(engine, Worker("test"))
    yield whisper
    await whisper.close()


@pytest.mark.models
class TestWhisperSpeechToText(SpeechToTextContract):
    languages = ("en", "ko")

    @pytest.fixture
    def stt(self, whisper: WhisperSpeechToText) -> WhisperSpeechToText:
        return whisper

    @pytest.fixture
    def speech(self, question: Pcm) -> Pcm:
        return question

    @pytest.mark.parametrize("languages", [("ko", "en"), ("en", "ko"), ("en",)])
    async def test_a_human_question_is_understood_and_its_language_found(
        self, stt: WhisperSpeechToText, question: Pcm, languages: Sequence[str]
    ) -> None:
        heard = await stt.transcribe(question, languages)
        words = heard.text.lower().replace("7", "seven").replace("+", "plus").replace("5", "five")
        assert heard.language == "en"
        assert "seven plus five" in words

    @pytest.mark.parametrize("level", [100, 1000, 4000])
    @pytest.mark.parametrize("seconds", [0.5, 3.0])
    async def test_noise_is_not_heard_as_words(
        self, stt: WhisperSpeechToText, level: int, seconds: float
    ) -> None:
        noise = np.random.default_rng(7).normal(0, level, round(seconds * RATE_HZ))
        pcm = np.clip(noise, -32768, 32767).astype(np.int16)
        assert (await stt.transcribe(pcm, ("ko", "en"))).text == ""


@pytest.mark.models
async def test_it_loads_the_embedded_model(question: Pcm) -> None:
    stt = await WhisperSpeechToText.load(beam=1)
    assert (await stt.transcribe(question, ["en"])).text
    await stt.close()


async def test_a_directory_without_a_model_is_a_clear_failure(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"Whisper model in .* cannot be loaded"):
        await WhisperSpeechToText.load(tmp_path)


class HeldEngine:
    """An engine that says how long its utterances were, when it is let go or told to fail."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.error: Exception | None = None

    def knows(self, language: str) -> bool:
        return language == "en"

    def hear(self, utterance: Pcm, languages: Sequence[str]) -> Hearing:
        assert self.go.wait(30)
        if self.error:
            raise self.error
        return Hearing(f"{len(utterance) / RATE_HZ:g} seconds", languages[0], 0.0, -0.1)


@pytest.fixture
def held() -> HeldEngine:
    return HeldEngine()


def recogniser(engine: HeldEngine, waiting: int = 8) -> WhisperSpeechToText:
    return WhisperSpeechToText(engine, Worker("test", waiting))  # type: ignore[arg-type]


LOUD = np.full(RATE_HZ, 1000, np.int16)


async def test_too_many_at_once_are_refused_with_rate_and_the_others_are_heard(
    held: HeldEngine,
) -> None:
    stt = recogniser(held, waiting=1)
    calls = [asyncio.create_task(stt.transcribe(LOUD, ["en"])) for _ in range(3)]
    with pytest.raises(ProviderError) as caught:
        await calls[2]
    assert caught.value.kind is ErrorKind.RATE
    held.go.set()
    assert [(await call).text for call in calls[:2]] == ["1 seconds"] * 2
    await stt.close()


async def test_a_failing_model_is_a_server_error(held: HeldEngine) -> None:
    held.error = RuntimeError("out of memory")
    held.go.set()
    stt = recogniser(held)
    with pytest.raises(ProviderError, match="out of memory") as caught:
        await stt.transcribe(LOUD, ["en"])
    assert caught.value.kind is ErrorKind.SERVER
    await stt.close()


async def test_only_the_first_thirty_seconds_are_heard(held: HeldEngine) -> None:
    held.go.set()
    stt = recogniser(held)
    assert (await stt.transcribe(np.tile(LOUD, 31), ["en"])).text == "30 seconds"
    await stt.close()


async def test_languages_that_it_does_not_know_are_passed_over(held: HeldEngine) -> None:
    held.go.set()
    stt = recogniser(held)
    assert (await stt.transcribe(LOUD, ["tlh", "en"])).language == "en"
    await stt.close()


def test_a_click_of_one_frame_is_not_silence_and_a_quiet_room_is() -> None:
    room = np.random.default_rng(0).normal(0, 8, RATE_HZ).astype(np.int16)
    assert is_silent(room)
    room[512:1024] = 500
    assert not is_silent(room)


async def test_a_model_that_was_not_pulled_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOLL_MODELS", str(tmp_path))
    with pytest.raises(ProviderError, match="doll models pull small"):
        await WhisperSpeechToText.load(model="small")
