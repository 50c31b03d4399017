"""The voice server over real sockets, with an engine that is a tone."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from fastapi import Request

from relay import wav
from relay.audio import Pcm
from relay.errors import ErrorKind
from relay.tts.base import TextToSpeech
from relay.tts.voices.own import OwnTextToSpeech
from relay.tts.voices.server import VoiceServer
from relay.tts.voices.settings import OwnVoiceSettings
from relay.worker import Worker
from tests.fakes.openai_audio import TONE, VOICE_HZ
from tests.fakes.voice_server import other_voice, shelf_with, voice_of
from tests.relay.tts.contract import PATIENT, TextToSpeechContract, failure, spoken
from tools.voice.engine.app import (
    LONGEST_SAMPLE_S,
    MAX_BODY_BYTES,
    WAITING,
    RefusedError,
    create_app,
    unless_gone,
)
from tools.voice.engine.base import Sample, UnknownLanguageError

KEY = "a-secret-of-the-engine"


class FakeEngine:
    """Speaks the beginning of the sample in two pieces, at its rate."""

    def __init__(self) -> None:
        self.learned: list[Sample] = []
        self.said: list[str] = []
        self.nothing = False
        self.go_on = threading.Event()
        self.go_on.set()

    def learn(self, sample: Sample) -> Sample:
        self.learned.append(sample)
        return sample

    def speak(self, voice: Sample, text: str, language: str) -> Iterator[tuple[Pcm, int]]:
        assert self.go_on.wait(20)
        self.said.append(text)
        if language == "xx":
            raise UnknownLanguageError("no xx here")
        if not self.nothing:
            for piece in np.array_split(voice.pcm[: len(TONE)], 2):
                yield piece, voice.rate_hz


@asynccontextmanager
async def serving(engine: FakeEngine, key: str = "") -> AsyncIterator[str]:
    config = uvicorn.Config(create_app(engine, "fake", key), port=0, log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        engine.go_on.set()
        server.should_exit = True
        await running


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def url(engine: FakeEngine) -> AsyncIterator[str]:
    async with serving(engine) as url:
        yield url


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        yield client


class TestContract(TextToSpeechContract):
    """The relay's client and this server together are voices."""

    voices = ("own:jinju", "own:sua")
    unknown = ("own:nobody", "no-such-voice")

    @pytest.fixture
    async def tts(self, url: str, tmp_path: Path) -> AsyncIterator[TextToSpeech]:
        settings, shelf = OwnVoiceSettings(base_url=url), shelf_with(tmp_path)
        shelf.add(*other_voice("sua"))
        tts = OwnTextToSpeech("jinju", shelf, settings, VOICE_HZ, PATIENT)
        yield tts
        await tts.close()


def new_voice(**about: Any) -> dict[str, Any]:
    sample = base64.b64encode(voice_of()[1]).decode()
    return {"sample": sample, "text": "안녕", "language": "ko"} | about


async def test_the_engine_gets_the_sample_and_what_is_said_in_it(
    url: str, engine: FakeEngine, tmp_path: Path
) -> None:
    shelf = shelf_with(tmp_path)
    tts = OwnTextToSpeech("jinju", shelf, OwnVoiceSettings(base_url=url), VOICE_HZ, PATIENT)
    await spoken(tts, "오늘은 맑아.")
    await tts.close()
    (sample,) = engine.learned
    assert wav.encode(sample.pcm, sample.rate_hz) == voice_of()[1]
    assert (sample.text, sample.language) == ("안녕, 나는 진주야.", "ko")
    assert engine.said == ["오늘은 맑아."]


async def test_a_deleted_voice_is_not_spoken_with(
    url: str, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    voice, _ = voice_of()
    server = VoiceServer(OwnVoiceSettings(base_url=url), shelf_with(tmp_path))
    await server.register(voice, "ko")
    assert await server.forget(voice)
    assert not await server.forget(voice)
    clause = {"voice": voice.key, "text": "안녕", "language": "ko"}
    assert (await http.post("/v1/speech", json=clause)).status_code == 404
    await server.close()


async def test_a_language_the_engine_does_not_speak_is_a_bad_request(
    url: str, tmp_path: Path
) -> None:
    settings = OwnVoiceSettings(base_url=url)
    tts = OwnTextToSpeech("jinju", shelf_with(tmp_path), settings, VOICE_HZ, PATIENT)
    with pytest.raises(Exception, match="no xx here"):
        await spoken(tts, "hello", "xx")
    await tts.close()


async def test_an_engine_that_makes_nothing_has_failed(
    url: str, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.nothing = True
    settings = OwnVoiceSettings(base_url=url)
    tts = OwnTextToSpeech("jinju", shelf_with(tmp_path), settings, VOICE_HZ, PATIENT)
    assert (await failure(tts)).kind is ErrorKind.SERVER
    await tts.close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/voices/..%2fetc", new_voice()),
        ("PUT", "/v1/voices/a", new_voice(sample="no base64!")),
        ("PUT", "/v1/voices/a", new_voice(sample=base64.b64encode(b"RIFF").decode())),
        (
            "PUT",
            "/v1/voices/a",
            new_voice(
                sample=base64.b64encode(
                    wav.encode(np.zeros(round((LONGEST_SAMPLE_S + 1) * 8_000), np.int16), 8_000)
                ).decode()
            ),
        ),
        ("PUT", "/v1/voices/a", new_voice(text="x" * 2_000)),
        ("PUT", "/v1/voices/a", new_voice(language="korean")),
        ("PUT", "/v1/voices/a", new_voice(file="/etc/passwd")),
        ("PUT", "/v1/voices/a", {}),
        ("POST", "/v1/speech", {"voice": "a", "text": "", "language": "ko"}),
        ("POST", "/v1/speech", {"voice": "a", "text": "x" * 2_000, "language": "ko"}),
        ("POST", "/v1/speech", {"voice": "a", "text": "안녕", "language": "../ko"}),
        ("POST", "/v1/speech", {"voice": "a", "text": 7, "language": "ko"}),
    ],
)
async def test_what_is_wrong_is_refused_in_words(
    http: httpx2.AsyncClient, engine: FakeEngine, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = await http.request(method, path, json=body)
    assert answer.status_code in (404, 422)
    assert not engine.learned


async def test_no_json_and_too_much_of_it_are_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.put("/v1/voices/a", content=b"\xff{")).status_code == 422
    huge = b" " * (MAX_BODY_BYTES + 1)
    assert (await http.put("/v1/voices/a", content=huge)).status_code == 413


async def test_a_web_page_may_not_use_it(http: httpx2.AsyncClient) -> None:
    headers = {"origin": "https://somewhere.example"}
    assert (await http.get("/v1/health", headers=headers)).status_code == 403
    assert (await http.get("/v1/health")).json() == {"status": "ok", "engine": "fake"}


async def test_with_a_key_nothing_goes_without_it(engine: FakeEngine, tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path)
    async with serving(engine, KEY) as url:
        for shown, kind in (("", ErrorKind.AUTH), ("wrong", ErrorKind.AUTH)):
            settings = OwnVoiceSettings.model_validate({"base_url": url, "api_key": shown})
            tts = OwnTextToSpeech("jinju", shelf, settings, VOICE_HZ, PATIENT)
            assert (await failure(tts)).kind is kind
            await tts.close()
        settings = OwnVoiceSettings.model_validate({"base_url": url, "api_key": KEY})
        tts = OwnTextToSpeech("jinju", shelf, settings, VOICE_HZ, PATIENT)
        assert await spoken(tts, "안녕")
        await tts.close()


async def test_who_comes_while_too_many_wait_is_told_to_come_back(
    http: httpx2.AsyncClient, engine: FakeEngine
) -> None:
    await http.put("/v1/voices/a", json=new_voice())
    engine.go_on.clear()
    clause = {"voice": "a", "text": "안녕", "language": "ko"}
    asked = [asyncio.create_task(http.post("/v1/speech", json=clause)) for _ in range(WAITING + 3)]
    refused: set[asyncio.Task[httpx2.Response]] = set()
    while len(refused) < 2:  # the others wait for the engine
        done, _ = await asyncio.wait({*asked} - refused, return_when=asyncio.FIRST_COMPLETED)
        refused |= done
    assert {task.result().status_code for task in refused} == {429}
    assert {task.result().headers["retry-after"] for task in refused} == {"1"}
    engine.go_on.set()
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert codes == [200] * (WAITING + 1) + [429] * 2


async def test_a_clause_that_nobody_waits_for_any_more_is_not_begun() -> None:
    begun, go_on, said = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        assert go_on.wait(20)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    worker = Worker("test")
    running = asyncio.create_task(worker.run(first))
    await asyncio.to_thread(begun.wait, 20)
    left = Request({"type": "http"}, receive)
    with pytest.raises(RefusedError, match="went away"):
        await unless_gone(left, worker.run(said.append, "anything"))
    go_on.set()
    await running
    await worker.close()
    assert said == []
