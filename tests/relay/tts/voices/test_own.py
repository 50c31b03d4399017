from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from relay import wav
from relay.errors import ErrorKind, ProviderError
from relay.streaming import Deadlines
from relay.tts.base import TextToSpeech
from relay.tts.voices.own import OwnTextToSpeech
from relay.tts.voices.settings import ServerKind
from relay.tts.voices.shelf import VoiceShelf
from tests.fakes.openai_audio import TONE, VOICE_HZ
from tests.fakes.openai_audio import spoken as speech
from tests.fakes.voice_server import (
    KEY,
    FakeVoiceServer,
    other_voice,
    refusal,
    serving_voices,
    shelf_with,
    voice_of,
)
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
def shelf(tmp_path: Path) -> VoiceShelf:
    shelf = shelf_with(tmp_path)
    shelf.add(*other_voice("sua"))
    return shelf


@asynccontextmanager
async def voice_at(
    server: FakeVoiceServer, shelf: VoiceShelf, deadlines: Deadlines = PATIENT, **settings: object
) -> AsyncIterator[OwnTextToSpeech]:
    tts = OwnTextToSpeech("jinju", shelf, server.settings(**settings), VOICE_HZ, deadlines)
    try:
        yield tts
    finally:
        await tts.close()


class Each(RemoteTextToSpeechContract):
    """One kind of server, whose clauses are WAV."""

    voices = ("own:jinju", "own:sua")
    unknown = ("own:nobody", "own:../sua", "no-such-voice")
    kind: ServerKind

    @pytest.fixture
    async def server(self, tmp_path: Path) -> AsyncIterator[FakeVoiceServer]:
        async with serving_voices(self.kind, files=tmp_path) as server:
            yield server

    @pytest.fixture
    def far_side(self, server: FakeVoiceServer, shelf: VoiceShelf) -> FarSide:
        @asynccontextmanager
        async def make(deadlines: Deadlines) -> AsyncIterator[TextToSpeech]:
            async with voice_at(server, shelf, deadlines) as tts:
                yield tts

        def sound(pcm: np.ndarray, then: Step | None = None, piece: int = 1_001) -> Reply:
            data = wav.encode(pcm, VOICE_HZ)
            return speech(data, content_type="audio/wav", then=then, piece=piece)

        return FarSide(
            play=server.play,
            make=make,
            requests=lambda: len(server.clauses),
            disconnected=server.journal.disconnected,
            speech=sound(TONE),
            silence=sound(TONE * 0),
            stuck=sound(np.tile(TONE, 2)[: len(TONE)], then=Step.HANG),
            cut=sound(TONE, then=Step.DROP),
            no_headers=Reply(status=None, body=(Step.HANG,)),
            overloaded=refusal(503, "busy"),
            garbage=(
                Reply(content_type="text/html", body=(b"<html>oops</html>" * 999,)),
                Reply(content_type="application/json", body=(b'{"error": "no voice"}',)),
                speech(b"ID3\x04" + bytes(4_000), content_type="audio/mpeg"),
                speech(b"RIFF....AVI LIST" + bytes(4_000), content_type="audio/wav"),
                speech(b""),
                speech(wav.encode(TONE[:0], VOICE_HZ), content_type="audio/wav"),
            ),
            endless=sound(np.tile(TONE, 180), then=Step.HANG, piece=1 << 16),
        )


class TestDollServer(Each):
    kind = "doll"


class TestReference(Each):
    kind = "reference"


class TestVllmOmni(Each):
    kind = "vllm-omni"


class TestChatterboxApi(Each):
    kind = "chatterbox-api"


class TestGptSovits(Each):
    kind = "gpt-sovits"

    @pytest.fixture
    async def server(self, tmp_path: Path) -> AsyncIterator[FakeVoiceServer]:
        async with serving_voices(self.kind, files=tmp_path / "voices") as server:
            yield server


KEEPING: list[ServerKind] = ["doll", "vllm-omni", "chatterbox-api"]


@pytest.mark.parametrize("kind", KEEPING)
async def test_a_sample_is_sent_once_whatever_asks_for_it(
    kind: ServerKind, shelf: VoiceShelf
) -> None:
    voice, sample = voice_of()
    async with serving_voices(kind) as server:
        async with voice_at(server, shelf) as tts:
            await asyncio.gather(*(spoken(tts, "안녕") for _ in range(4)))
        async with voice_at(server, shelf) as tts:  # the relay was started anew
            await spoken(tts, "안녕")
        assert server.uploads == 1
        (kept,) = server.voices.items()
    assert kept[0].startswith(voice.key)
    assert kept[1]["sample"] == sample
    assert "jinju" not in kept[0]  # whose voice it is, is nobody else's business


@pytest.mark.parametrize("kind", KEEPING)
async def test_voices_are_left_at_the_same_server_when_they_are_needed(
    kind: ServerKind, shelf: VoiceShelf
) -> None:
    async with serving_voices(kind) as server, voice_at(server, shelf) as tts:
        await spoken(tts, "안녕", voice="own:sua")
        assert server.uploads == 1
        await asyncio.gather(
            *(spoken(tts, "안녕", voice=voice) for voice in ("own:jinju", "own:sua") * 3)
        )
        assert server.uploads == len(server.voices) == 2


@pytest.mark.parametrize("kind", KEEPING)
async def test_a_server_that_has_forgotten_the_voice_gets_it_again_in_the_same_clause(
    kind: ServerKind, shelf: VoiceShelf
) -> None:
    async with serving_voices(kind) as server, voice_at(server, shelf) as tts:
        await spoken(tts, "안녕")
        server.voices.clear()
        assert await spoken(tts, "안녕")
        assert server.uploads == 2


async def test_a_clause_that_is_refused_for_another_reason_is_not_asked_for_again(
    shelf: VoiceShelf,
) -> None:
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        server.play(refusal(400, "too long"))
        assert (await failure(tts)).kind is ErrorKind.BAD_REQUEST
        assert len(server.clauses) == 1


async def test_an_engine_that_takes_long_over_a_sample_has_it_for_a_later_clause(
    shelf: VoiceShelf,
) -> None:
    async with serving_voices() as server:
        server.refuses_samples = Reply(status=None, body=(Step.HANG,))
        async with voice_at(server, shelf, Deadlines(0.2, 60, 60)) as tts:
            assert (await failure(tts)).kind is ErrorKind.NETWORK
            assert (await failure(tts)).kind is ErrorKind.NETWORK
            assert server.uploads == 1  # it went on meanwhile
        async with asyncio.timeout(20):
            await server.journal.disconnected.wait()  # and ended with the relay


async def test_a_sample_that_is_refused_says_why(shelf: VoiceShelf) -> None:
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        server.refuses_samples = refusal(422, "this is no speech")
        assert "this is no speech" in (await failure(tts)).message


async def test_the_text_of_the_sample_goes_along(shelf: VoiceShelf) -> None:
    for kind, field in (("doll", "text"), ("vllm-omni", "ref_text")):
        async with serving_voices(kind) as server, voice_at(server, shelf) as tts:
            await spoken(tts, "안녕")
            (kept,) = server.voices.values()
            assert kept[field] == "안녕, 나는 진주야."
    async with serving_voices("reference") as server, voice_at(server, shelf) as tts:
        await spoken(tts, "안녕")
        assert server.clauses[-1]["ref_text"] == "안녕, 나는 진주야."
        assert server.clauses[-1]["language"] == "Korean"


async def test_without_a_text_an_engine_takes_the_timbre_alone(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, text="")
    async with serving_voices("reference") as server, voice_at(server, shelf) as tts:
        await spoken(tts, "안녕")
        assert server.clauses[-1]["x_vector_only_mode"] is True
        assert "ref_text" not in server.clauses[-1]


async def test_fields_of_the_owners_own_are_sent(shelf: VoiceShelf) -> None:
    extra = {"exaggeration": 0.8}
    async with serving_voices("chatterbox-api") as server:
        async with voice_at(server, shelf, extra_body=extra, model="chatterbox-v2") as tts:
            await spoken(tts, "안녕")
        assert server.clauses[-1]["exaggeration"] == 0.8
        assert server.clauses[-1]["model"] == "chatterbox-v2"


async def test_chatterbox_api_gets_a_voice_for_each_language(shelf: VoiceShelf) -> None:
    async with serving_voices("chatterbox-api") as server, voice_at(server, shelf) as tts:
        await spoken(tts, "안녕", "ko")
        await spoken(tts, "Hello", "en")
        assert [about["language"] for about in server.voices.values()] == ["ko", "en"]


async def test_a_key_is_sent_and_never_told(shelf: VoiceShelf) -> None:
    async with serving_voices(key=KEY) as server:
        async with voice_at(server, shelf, api_key=KEY) as tts:
            assert await spoken(tts, "안녕")
            server.play(refusal(500, f"the key {KEY} broke"))
            caught = await failure(tts)
        assert not leaks(caught, KEY)
        async with voice_at(server, shelf) as tts:
            assert (await failure(tts)).kind is ErrorKind.AUTH


async def test_what_the_doll_says_is_in_no_error(shelf: VoiceShelf) -> None:
    words = "그건 비밀이야."
    escaped = json.dumps({"detail": [{"msg": "bad", "input": words}]}).encode()
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        for reply in (refusal(422, f"bad input: {words}"), Reply(422, body=(escaped,))):
            server.play(reply, reply)  # it asks again, in case the voice was forgotten
            with pytest.raises(ProviderError) as caught:
                await spoken(tts, words)
            assert "bad" in caught.value.message
            assert "비밀" not in caught.value.message
            assert json.dumps("비밀")[1:-1] not in caught.value.message


async def test_too_much_at_once_comes_back_when_the_server_says(shelf: VoiceShelf) -> None:
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        server.play(refusal(429, "busy", headers=(("retry-after", "7"),)))
        caught = await failure(tts)
    assert (caught.kind, caught.retry_after_s) == (ErrorKind.RATE, 7)


async def test_a_server_that_is_not_there_is_a_network_failure(shelf: VoiceShelf) -> None:
    async with serving_voices() as server:
        pass
    async with voice_at(server, shelf) as tts:
        caught = await failure(tts)
    assert caught.kind is ErrorKind.NETWORK
    assert caught.__context__ is None or not leaks(caught, "authorization")


async def test_a_voice_that_was_learned_needs_one_request(shelf: VoiceShelf) -> None:
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        await tts.learn("sua")
        asked = len(server.journal.requests)
        await spoken(tts, "안녕", voice="own:sua")
        assert (server.uploads, len(server.journal.requests)) == (1, asked + 1)


async def test_a_sample_that_was_changed_is_never_sent(shelf: VoiceShelf) -> None:
    path = shelf.folder("jinju") / "sample.wav"
    path.write_bytes(path.read_bytes()[:-2] + b"xx")
    async with serving_voices() as server, voice_at(server, shelf) as tts:
        with pytest.raises(ProviderError, match="not the recording that was checked"):
            await spoken(tts, "안녕")
        assert server.uploads == 0
