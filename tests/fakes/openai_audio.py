"""A fake of an OpenAI-compatible server's ears and voice, over real sockets.

It checks what it is sent as the real ones do, and otherwise plays the replies that a test has
queued.
"""

from __future__ import annotations

import email
import email.policy
import io
import json
import wave
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from relay import wav
from relay.audio import Pcm
from tests.fakes.openai import error
from tools.fake_gemini.http import Journal, Reply, Request, Step, serving

KEY = "sk-fake-fake-fake"
MODEL = "whisper-or-kokoro"

#: What the fake voice says: a tone of half a second at 24 kHz.
VOICE_HZ = 24_000
TONE: Pcm = (8_000 * np.sin(2 * np.pi * 440 / VOICE_HZ * np.arange(VOICE_HZ // 2))).astype(np.int16)

#: Voices that speak another tone, and one that it does not have; it takes any other name.
TONES: dict[str, Pcm] = {"low": np.repeat(TONE, 2)[: len(TONE)], "high": np.tile(TONE[::2], 2)}
NO_VOICE = "no-such-voice"


@dataclass
class Upload:
    """One form as it was sent."""

    fields: dict[str, list[str]]
    rate_hz: int
    channels: int
    utterance: Pcm


class FakeAudio:
    """`async with serving_audio() as fake:` starts one; `fake.url` ends in `/v1`."""

    def __init__(self, key: str | None) -> None:
        self.url = ""
        self.journal = Journal()
        self.uploads: list[Upload] = []
        self.refuses_verbose = False
        self._key = key
        self._replies: deque[Reply] = deque()

    def play(self, *replies: Reply) -> None:
        """Queue replies for the next valid requests; without one, 안녕? is heard or TONE spoken."""
        self._replies.extend(replies)

    @property
    def last(self) -> dict[str, Any]:
        """The body of the newest request for speech."""
        return self.journal.requests[-1].json

    async def handle(self, request: Request) -> Reply:
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return error(401, "Incorrect API key provided.", code="invalid_api_key")
        match request.target:
            case "/v1/audio/transcriptions":
                return self._hear(request)
            case "/v1/audio/speech":
                return self._speak(request.json)
        return error(404, "no such path")

    def _hear(self, request: Request) -> Reply:
        upload = _upload(request)
        self.uploads.append(upload)
        if upload.fields["model"] != [MODEL]:
            return error(404, f"The model {upload.fields['model'][0]} does not exist.")
        verbose = upload.fields["response_format"] == ["verbose_json"]
        if verbose and self.refuses_verbose:
            return error(400, "response_format 'verbose_json' is not compatible with this model.")
        if self._replies:
            return self._replies.popleft()
        return heard("안녕?", language="korean") if verbose else heard("안녕?")

    def _speak(self, body: dict[str, Any]) -> Reply:
        if body.get("model") != MODEL:
            return error(404, f"The model {body.get('model')} does not exist.")
        if not body.get("input"):
            return error(400, "input is empty")
        if body["voice"] == NO_VOICE:
            return error(400, f"Voice {NO_VOICE} is not there.")
        if self._replies:
            return self._replies.popleft()
        tone = TONES.get(body["voice"], TONE)
        if body.get("response_format") == "wav":
            return spoken(wav.encode(tone, VOICE_HZ), content_type="audio/wav")
        return spoken(tone.tobytes())


@asynccontextmanager
async def serving_audio(key: str | None = None) -> AsyncIterator[FakeAudio]:
    fake = FakeAudio(key)
    async with serving(fake.handle, fake.journal) as url:
        fake.url = f"{url}/v1"
        yield fake


def heard(
    text: str,
    *,
    language: str | None = None,
    segments: list[dict[str, Any]] | None = None,
) -> Reply:
    """A transcription; with `language` in the verbose form."""
    body: dict[str, Any] = {"text": text}
    if language is not None:
        body |= {"language": language, "duration": 1.0, "segments": segments or []}
    return Reply(body=(json.dumps(body, ensure_ascii=False).encode(),))


def segment(text: str, no_speech: float, log_probability: float) -> dict[str, Any]:
    return {"text": text, "no_speech_prob": no_speech, "avg_logprob": log_probability}


def spoken(
    data: bytes, *, content_type: str = "audio/pcm", then: Step | None = None, piece: int = 1_001
) -> Reply:
    """Speech in pieces that cut samples; `then` hangs or drops the connection after them."""
    pieces: list[bytes | Step] = [data[at : at + piece] for at in range(0, len(data), piece)]
    return Reply(content_type=content_type, body=(*pieces, *([then] if then else [])))


def _upload(request: Request) -> Upload:
    """Read a form with the standard library's parser, which is not the client's."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    fields: dict[str, list[str]] = {}
    file = b""
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        if part.get_filename():
            assert (name, part.get_filename()) == ("file", "speech.wav")
            file = part.get_payload(decode=True)
        else:
            fields.setdefault(name, []).append(part.get_payload(decode=True).decode())
    with wave.open(io.BytesIO(file)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
        return Upload(fields, reader.getframerate(), reader.getnchannels(), samples)
