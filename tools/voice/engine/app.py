"""The contract of docs/voice-server.md over an engine."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.languages import is_code
from relay.tts.remote import LONGEST_TEXT
from relay.tts.voices.voice import MAX_TEXT_CHARS
from relay.wav import WavError, WavReader
from relay.worker import Worker
from tools.voice.engine.base import Engine, Sample, UnknownLanguageError
from tools.voice.engine.voices import LearnedVoices

T = TypeVar("T")

#: Half a minute at 48 kHz in base64 has 4 MB.
MAX_BODY_BYTES: Final = 8 << 20
LONGEST_SAMPLE_S: Final = 35.0

#: Clauses and samples that wait for the engine; one more is told to come back.
WAITING: Final = 4

_KEY = re.compile(r"[a-z0-9-]{1,64}")


class NewVoice(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PUT /v1/voices/KEY."""

    sample: str  #: a WAV file in base64
    text: str = ""
    language: str = "ko"


class Clause(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /v1/speech."""

    voice: str
    text: str
    language: str


class RefusedError(Exception):
    """A request that cannot be served, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def create_app(engine: Engine, name: str, key: str = "") -> FastAPI:
    """The server for one engine. With `key`, requests have to show it as a bearer token."""
    voices = LearnedVoices()
    worker = Worker("engine", WAITING)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await worker.close()

    def guard(request: Request) -> None:
        # Any page that is open in a browser on this machine can send requests here.
        if "origin" in request.headers:
            raise RefusedError(403, "no web page may use this server")
        shown = request.headers.get("authorization", "").encode()
        if key and not hmac.compare_digest(shown, f"Bearer {key}".encode()):
            raise RefusedError(401, "the key is missing or wrong")

    app = FastAPI(
        title="Voice server",
        lifespan=lifespan,
        dependencies=[Depends(guard)],
        openapi_url=None,
    )

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        return _error(error.status, str(error))

    @app.exception_handler(ProviderError)
    async def too_much(_: Request, error: ProviderError) -> Response:
        busy = error.kind is ErrorKind.RATE
        return _error(429 if busy else 503, error.message, {"retry-after": "1"} if busy else {})

    @app.get("/v1/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "engine": name}

    @app.get("/v1/voices/{voice}")
    async def look(voice: str) -> dict[str, str]:
        if voice not in voices:
            raise RefusedError(404, "there is no such voice")
        return {"voice": voice}

    @app.put("/v1/voices/{voice}")
    async def put(voice: str, request: Request) -> dict[str, str]:
        if not _KEY.fullmatch(voice):
            raise RefusedError(422, "a voice is named by up to 64 of a-z, 0-9 and -")
        sample = _sample(_parsed(await _body(request), NewVoice))
        voices.put(voice, await unless_gone(request, worker.run(engine.learn, sample)))
        return {"voice": voice}

    @app.delete("/v1/voices/{voice}")
    async def forget(voice: str) -> dict[str, str]:
        if not voices.forget(voice):
            raise RefusedError(404, "there is no such voice")
        return {"voice": voice}

    @app.post("/v1/speech")
    async def speak(request: Request) -> Response:
        clause = _parsed(await _body(request), Clause)
        if not 0 < len(clause.text.strip()) <= LONGEST_TEXT or not is_code(clause.language):
            raise RefusedError(
                422, f"a clause has 1 to {LONGEST_TEXT} characters and an ISO 639-1 language"
            )
        if clause.voice not in voices:
            raise RefusedError(404, "there is no such voice")
        pieces = engine.speak(voices[clause.voice], clause.text.strip(), clause.language)
        try:
            first = await unless_gone(request, worker.run(next, pieces, None))
        except UnknownLanguageError as error:
            raise RefusedError(422, str(error)) from None
        if first is None:
            raise RefusedError(500, "the engine made nothing of this")
        return StreamingResponse(
            _rest(worker, first[0], pieces), media_type=f"audio/pcm;rate={first[1]}"
        )

    return app


async def _rest(
    worker: Worker, first: Pcm, pieces: Iterator[tuple[Pcm, int]]
) -> AsyncIterator[bytes]:
    pcm = first
    while True:
        yield pcm.astype("<i2").tobytes()
        more = await worker.run(next, pieces, None)
        if more is None:
            return
        pcm = more[0]


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for data in request.stream():
        body += data
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(413, f"at most {MAX_BODY_BYTES >> 20} MB are taken")
    return bytes(body)


def _parsed(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(422, str(error)) from None


def _sample(new: NewVoice) -> Sample:
    if len(new.text) > MAX_TEXT_CHARS or not is_code(new.language):
        raise RefusedError(422, f"at most {MAX_TEXT_CHARS} characters, in an ISO 639-1 language")
    reader = WavReader()
    try:
        pcm = reader.push(base64.b64decode(new.sample, validate=True))
    except (binascii.Error, ValueError, WavError) as error:
        raise RefusedError(422, f"the sample is no WAV file in base64: {error}") from None
    if reader.rate_hz is None or not 1 <= len(pcm) / reader.rate_hz <= LONGEST_SAMPLE_S:
        raise RefusedError(422, f"a sample has 1 to {LONGEST_SAMPLE_S:.0f} seconds")
    return Sample(pcm, reader.rate_hz, new.text.strip(), new.language)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Wait for `work` while the client waits too: what nobody waits for need not begin."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RefusedError(499, "the client went away")
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.wait((working, leaving))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _error(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": why}, status, headers)
