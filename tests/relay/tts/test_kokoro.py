"""The embedded voice speaks Korean and English, and stops when nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from relay.errors import ErrorKind, ProviderError
from relay.models import KOKORO, WHISPER_BASE, ensure
from relay.stt.whisper_engine import WhisperEngine
from relay.tts.kokoro import VOICE, KokoroTextToSpeech, to_pcm
from relay.tts.kokoro_engine import COMFORTABLE_PHONEMES, Floats, KokoroEngine, Plan
from relay.worker import Worker
from tests.relay.tts.contract import TextToSpeechContract, spoken

#: Never used to choose a phoneme, a speed or a voice.
HELD_OUT = (
    "비가 오니까 우산을 챙겨.",
    "강아지가 꼬리를 흔들어요.",
    "우리 숨바꼭질 하자.",
    "저녁에 뭐 먹고 싶어?",
    "바다에는 물고기가 많아.",
    "동생이랑 사이좋게 지내.",
    "눈사람을 만들어 볼까?",
    "책을 읽어 줄게.",
    "양치하고 자야 해.",
    "할머니 댁에 가고 싶어.",
)


@pytest.fixture(scope="module")
def engine() -> KokoroEngine:
    return KokoroEngine(ensure(KOKORO), threads=2)


@pytest.fixture
async def kokoro(engine: KokoroEngine) -> AsyncIterator[KokoroTextToSpeech]:
    kokoro = KokoroTextToSpeech(engine, Worker("test"))
    yield kokoro
    await kokoro.close()


@pytest.mark.models
class TestKokoroTextToSpeech(TextToSpeechContract):
    voices = ("jf_alpha", "jm_kumo")

    @pytest.fixture
    def tts(self, kokoro: KokoroTextToSpeech) -> KokoroTextToSpeech:
        return kokoro

    async def test_whisper_understands_what_it_says(self, tts: KokoroTextToSpeech) -> None:
        ears = WhisperEngine(ensure(WHISPER_BASE), threads=2, beam=5)
        wrong = letters = 0
        for sentence in HELD_OUT:
            pcm = np.concatenate(await spoken(tts, sentence))
            heard = ears.hear(soxr.resample(pcm, tts.rate_hz, 16_000), ["ko", "en"])
            assert heard.language == "ko"
            written = "".join(filter(str.isalnum, sentence))
            wrong += distance("".join(filter(str.isalnum, heard.text)), written)
            letters += len(written)
        assert wrong / letters <= 0.2

    async def test_english_is_heard_as_english(self, tts: KokoroTextToSpeech) -> None:
        ears = WhisperEngine(ensure(WHISPER_BASE), threads=2, beam=5)
        pcm = np.concatenate(await spoken(tts, "Let us play a game together.", "en"))
        heard = ears.hear(soxr.resample(pcm, tts.rate_hz, 16_000), ["en", "ko"])
        assert heard.language == "en"
        assert "play a game together" in heard.text.lower()


def distance(one: str, other: str) -> int:
    """Levenshtein's: letters to change, put in or take out."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        above, row = row, [number]
        for place, against in enumerate(other):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (letter != against)))
    return row[-1]


@pytest.mark.models
async def test_it_loads_the_embedded_model() -> None:
    tts = await KokoroTextToSpeech.load(threads=1)
    assert VOICE in tts.voices()
    assert await spoken(tts, "응.")
    await tts.close()


async def test_a_directory_without_a_model_is_a_clear_failure(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"Kokoro model in .* cannot be loaded"):
        await KokoroTextToSpeech.load(tmp_path)


class HeldEngine:
    """Speaks a second of noise in three pieces for everything, when let go or told to fail."""

    voices = (VOICE, "other")

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Event()
        self.spoken: list[tuple[str, str, float]] = []
        self.pieces: list[int] = []
        self.error: Exception | None = None

    def plan(self, phonemes: str, voice: str, speed: float) -> Plan:
        if self.error:
            raise self.error
        self.spoken.append((phonemes, voice, speed))
        nothing = np.zeros((0, 0), np.float32)
        return Plan(nothing, nothing, nothing, nothing, (0, 24, 56, 80))

    def sound(self, plan: Plan, piece: int) -> Floats:
        self.entered.set()
        assert self.go.wait(30)
        self.pieces.append(piece)
        return np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)


@pytest.fixture
def held() -> HeldEngine:
    return HeldEngine()


def speaker(engine: HeldEngine, **options: Any) -> KokoroTextToSpeech:
    return KokoroTextToSpeech(engine, Worker("test"), **options)  # type: ignore[arg-type]


async def test_the_same_clause_is_computed_once(held: HeldEngine) -> None:
    tts = speaker(held)
    first, second = await spoken(tts, "안녕."), await spoken(tts, " 안녕. ")
    assert len(held.spoken) == 1
    assert np.array_equal(np.concatenate(first), np.concatenate(second))
    await spoken(tts, "안녕?")
    assert len(held.spoken) == 2


async def test_a_text_longer_than_the_model_takes_is_spoken_in_parts(held: HeldEngine) -> None:
    await spoken(speaker(held), "아주 긴 이야기를 할게, " * 60)
    assert len(held.spoken) > 1
    assert all(len(phonemes) <= COMFORTABLE_PHONEMES for phonemes, _, _ in held.spoken)


async def test_voice_and_speed_reach_the_model(held: HeldEngine) -> None:
    await spoken(speaker(held, voice="other", speed=1.2), "Hello.", "en")
    assert [one[1:] for one in held.spoken] == [("other", 1.2)]


async def test_each_doll_has_its_voice_and_its_own_cached_clauses(held: HeldEngine) -> None:
    tts = speaker(held)
    for voice in ("other", "", "other", VOICE, "nobody"):
        await spoken(tts, "Hello.", "en", voice)
    assert [voice for _, voice, _ in held.spoken] == ["other", VOICE]


@pytest.mark.parametrize("options", [{"voice": "no such voice"}, {"speed": 0.1}, {"speed": 9.0}])
def test_a_wrong_voice_or_speed_is_a_bad_request(held: HeldEngine, options: Any) -> None:
    with pytest.raises(ProviderError, match="choose") as caught:
        speaker(held, **options)
    assert caught.value.kind is ErrorKind.BAD_REQUEST


async def test_of_a_cancelled_clause_no_further_piece_is_made(held: HeldEngine) -> None:
    held.go.clear()
    tts = speaker(held)
    call = asyncio.create_task(spoken(tts, "안녕."))
    assert await asyncio.to_thread(held.entered.wait, 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    held.go.set()
    assert await spoken(tts, "응.")
    assert held.pieces == [0, 0, 1, 2]


async def test_the_first_piece_is_heard_before_the_second_is_made(held: HeldEngine) -> None:
    async with contextlib.aclosing(speaker(held).speak("안녕.", "ko")) as chunks:
        await anext(chunks)
        assert held.pieces == [0]


async def test_pieces_of_two_clauses_take_turns(held: HeldEngine) -> None:
    tts = speaker(held)
    await asyncio.gather(spoken(tts, "안녕."), spoken(tts, "반가워."))
    assert held.pieces == [0, 0, 1, 1, 2, 2]


async def test_a_failing_model_is_a_server_error(held: HeldEngine) -> None:
    held.error = RuntimeError("bad allocation")
    with pytest.raises(ProviderError, match="bad allocation") as caught:
        await spoken(speaker(held), "안녕.")
    assert caught.value.kind is ErrorKind.SERVER


def test_a_model_gone_wrong_is_silence_and_no_overflow() -> None:
    pcm = to_pcm(np.array([np.nan, np.inf, -np.inf, 2.0, -2.0, 0.5], np.float32))
    assert pcm.tolist() == [0, 32767, -32767, 32767, -32767, 16384]
