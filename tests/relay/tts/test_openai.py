from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from relay import wav
from relay.errors import ErrorKind, ProviderError
from relay.streaming import Deadlines
from relay.tts.base import TextToSpeech
from relay.tts.openai import OpenAITextToSpeech
from tests.fakes.openai import error
from tests.fakes.openai_audio import KEY, MODEL, NO_VOICE, TONE, FakeAudio, serving_audio
from tests.fakes.openai_audio import spoken as answer
from tests.relay.llm.contract import leaks
from tests.relay.tts.contract import (
    PATIENT,
    FarSide,
    RemoteTextToSpeechContract,
    failure,
    spoken,
)
from tools.fake_gemini.http import Reply, Step


@pytest.fixture
async def server() -> AsyncIterator[FakeAudio]:
    async with serving_audio() as server:
        yield server


@asynccontextmanager
async def voice_at(
    server: FakeAudio, model: str = MODEL, **options: object
) -> AsyncIterator[OpenAITextToSpeech]:
    options.setdefault("deadlines", PATIENT)
    tts = OpenAITextToSpeech(server.url, model, "af_heart", **options)  # type: ignore[arg-type]
    try:
        yield tts
    finally:
        await tts.close()


def far_side_of(server: FakeAudio, **options: object) -> FarSide:
    @asynccontextmanager
    async def make(deadlines: Deadlines) -> AsyncIterator[TextToSpeech]:
        async with voice_at(server, deadlines=deadlines, **options) as tts:
            yield tts

    minutes = np.tile(TONE, 180).tobytes()
    return FarSide(
        play=server.play,
        make=make,
        requests=lambda: len(server.journal.requests),
        disconnected=server.journal.disconnected,
        speech=answer(TONE.tobytes()),
        silence=answer(bytes(48_000)),
        stuck=answer(TONE.tobytes(), then=Step.HANG),
        cut=answer(TONE.tobytes(), then=Step.DROP),
        no_headers=Reply(status=None, body=(Step.HANG,)),
        overloaded=error(503, "Service is overloaded."),
        garbage=(
            Reply(content_type="text/html", body=(b"<html>oops</html>" * 999,)),
            Reply(content_type="application/json", body=(b'{"error": "no voice"}',)),
            answer(b"ID3\x04" + bytes(4_000), content_type="audio/mpeg"),
            answer(b"RIFF....AVI LIST" + bytes(4_000), content_type="audio/wav"),
            answer(b""),
            answer(wav.encode(TONE[:0], 24_000), content_type="audio/wav"),
        ),
        endless=answer(minutes, then=Step.HANG, piece=1 << 16),
    )


class TestPcm(RemoteTextToSpeechContract):
    @pytest.fixture
    def far_side(self, server: FakeAudio) -> FarSide:
        return far_side_of(server)


class TestWav(RemoteTextToSpeechContract):
    @pytest.fixture
    def far_side(self, server: FakeAudio) -> FarSide:
        return far_side_of(server, form="wav")


async def test_the_request_holds_what_was_set_and_nothing_else(server: FakeAudio) -> None:
    async with voice_at(server) as tts:
        await spoken(tts, " 안녕. ")
        assert server.last == {
            "model": MODEL,
            "voice": "af_heart",
            "input": "안녕.",
            "response_format": "pcm",
        }
    async with voice_at(
        server,
        form="wav",
        speed=1.2,
        instructions="grumpy, but kind",
        voices={"ko": "jinju"},
        language_field="lang_code",
        extra={"stream": True, "exaggeration": 0.7},
    ) as tts:
        await spoken(tts, "안녕.")
        assert server.last == {
            "model": MODEL,
            "voice": "jinju",
            "input": "안녕.",
            "response_format": "wav",
            "speed": 1.2,
            "instructions": "grumpy, but kind",
            "lang_code": "ko",
            "stream": True,
            "exaggeration": 0.7,
        }
        await spoken(tts, "Hello.", "en")
        assert (server.last["voice"], server.last["lang_code"]) == ("af_heart", "en")


async def test_a_dolls_voice_speaks_all_languages(server: FakeAudio) -> None:
    async with voice_at(server, voices={"ko": "jinju"}) as tts:
        await spoken(tts, "안녕.", voice="low")
        assert server.last["voice"] == "low"


async def test_a_voice_that_the_server_refuses_is_not_asked_for_each_time(
    server: FakeAudio,
) -> None:
    async with voice_at(server) as tts:
        for _ in range(3):
            assert await spoken(tts, "안녕.", voice=NO_VOICE)
    asked = [request.json["voice"] for request in server.journal.requests]
    assert asked == [NO_VOICE, "af_heart", "af_heart", "af_heart"]


async def test_a_text_that_is_refused_in_any_voice_says_nothing_about_the_voice(
    server: FakeAudio,
) -> None:
    async with voice_at(server) as tts:
        server.play(error(400, "too long"), error(400, "too long"))
        with pytest.raises(ProviderError, match="too long"):
            await spoken(tts, "안녕.", voice="low")
        assert tts.knows("low")
        await spoken(tts, "안녕.", voice="low")
    assert [request.json["voice"] for request in server.journal.requests][1:] == [
        "af_heart",
        "low",
    ]


async def test_a_server_that_fails_is_not_asked_for_another_voice(server: FakeAudio) -> None:
    async with voice_at(server) as tts:
        server.play(error(503, "overloaded"))
        with pytest.raises(ProviderError) as caught:
            await spoken(tts, "안녕.", voice="low")
        assert caught.value.kind is ErrorKind.SERVER
    assert len(server.journal.requests) == 1


@pytest.mark.parametrize(
    ("reply", "rate_hz"),
    [
        (answer(wav.encode(TONE, 48_000), content_type="audio/wav"), 48_000),
        (answer(wav.encode(TONE, 22_050), content_type="audio/x-wav"), 22_050),
        (answer(wav.encode(TONE, 16_000)), 16_000),  # not what was asked for, nor what it says
        (answer(TONE.tobytes(), content_type="audio/L16;rate=16000"), 16_000),
    ],
)
async def test_any_rate_becomes_that_of_the_voice(
    server: FakeAudio, reply: Reply, rate_hz: int
) -> None:
    server.play(reply)
    async with voice_at(server) as tts:
        pcm = np.concatenate(await spoken(tts, "안녕"))
        assert tts.rate_hz == 24_000
    tone = pcm[500:4_500]
    heard_hz = np.argmax(np.abs(np.fft.rfft(tone * np.hanning(4_000)))) * 24_000 / 4_000
    assert heard_hz == pytest.approx(440 * rate_hz / 24_000, abs=8)


async def test_speech_that_begins_with_silence_begins_at_once(server: FakeAudio) -> None:
    server.play(answer(bytes(48_000) + TONE.tobytes()))
    async with voice_at(server) as tts:
        pcm = np.concatenate(await spoken(tts, "안녕"))
    assert np.abs(pcm[:1_200].astype(int)).max() > 4_000


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), ErrorKind.AUTH),
        (error(429, "Slow down.", headers=(("retry-after", "7"),)), ErrorKind.RATE),
        (error(404, "Voice not found."), ErrorKind.BAD_REQUEST),
        (error(500, "CUDA out of memory"), ErrorKind.SERVER),
    ],
)
async def test_a_failure_has_its_kind_and_tells_no_key(
    server: FakeAudio, reply: Reply, kind: ErrorKind
) -> None:
    server.play(reply)
    async with voice_at(server, key=KEY) as tts:
        caught = await failure(tts)
    assert caught.kind is kind
    assert caught.__context__ is None
    assert not leaks(caught, KEY)


async def test_an_unplayable_answer_says_which_setting_helps(server: FakeAudio) -> None:
    server.play(answer(b"ID3", content_type="audio/mpeg"))
    async with voice_at(server) as tts:
        assert "tts.openai.format" in (await failure(tts)).message


async def test_it_reuses_its_connection(server: FakeAudio) -> None:
    async with voice_at(server) as tts:
        for _ in range(3):
            await spoken(tts, "안녕")
    assert server.journal.connections == 1
