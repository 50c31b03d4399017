"""The providers of `doll bench pipeline` behind HTTP: OpenAI's API, each step in its time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from tools.bench.pipeline_script import (
    CHUNK_S,
    QUESTION,
    VOICE_SPEED,
    Latencies,
    speech_s,
    tokens,
)
from tools.fake_gemini.http import Journal, Reply, Request, Until, serving

RATE_HZ = 24_000  #: of the voice, as OpenAI's `pcm` has it
MODEL = "scripted"

_TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(round(CHUNK_S * RATE_HZ)) / RATE_HZ)).astype(
    np.int16
)


@dataclass
class Moments(Journal):
    """What the server has seen, and when clients hung up."""

    keep: int | None = 1
    gone_at: list[float] = field(default_factory=list)  #: by `perf_counter`

    def gone(self) -> None:
        self.gone_at.append(perf_counter())
        super().gone()


class ScriptedServer:
    """Ears, brain and voice at one address."""

    def __init__(self, url: str, journal: Moments, latencies: Latencies) -> None:
        self.url = url  #: ends in `/v1`
        self.journal = journal
        self._latencies = latencies

    def settings(self, *, early: bool) -> dict[str, str]:
        """The environment of a relay that uses it, with speculation or without."""
        place = {"BASE_URL": self.url, "MODEL": MODEL}
        voice = {**place, "VOICE": "tone"}
        return {
            "DOLL_STT__PROVIDER": "openai",
            "DOLL_LLM__PROVIDER": "openai",
            "DOLL_TTS__PROVIDER": "openai",
            **{f"DOLL_STT__OPENAI__{key}": value for key, value in place.items()},
            **{f"DOLL_LLM__OPENAI__{key}": value for key, value in place.items()},
            **{f"DOLL_TTS__OPENAI__{key}": value for key, value in voice.items()},
            "DOLL_ENDPOINT__LEARNED": "false",
            "DOLL_TURN__EARLY_STT": json.dumps(early),
            "DOLL_TURN__EARLY_ANSWER": json.dumps(early),
            "DOLL_TURN__MAX_FILLERS": "0",
            "DOLL_TURN__RECORD_LINES": "false",
        }

    async def handle(self, request: Request) -> Reply:
        """Answer one request."""
        match request.target:
            case "/v1/audio/transcriptions":
                await asyncio.sleep(self._latencies.stt)
                return Reply(body=(json.dumps({"text": QUESTION}).encode(),))
            case "/v1/chat/completions":
                return self._answer()
            case "/v1/audio/speech":
                return self._speak(request.json["input"])
        return Reply(404, body=(b"{}",))

    def _answer(self) -> Reply:
        due = asyncio.get_running_loop().time() + self._latencies.first_token
        body: list[bytes | Until] = []
        for token in tokens():
            body += [Until(due), _chunk(token)]
            due += self._latencies.token
        return Reply(content_type="text/event-stream", body=(*body, b"data: [DONE]\n\n"))

    def _speak(self, text: str) -> Reply:
        due = asyncio.get_running_loop().time() + self._latencies.first_sound
        body: list[bytes | Until] = []
        for _ in range(round(speech_s(text) / CHUNK_S)):
            body += [Until(due), _TONE.tobytes()]
            due += CHUNK_S / VOICE_SPEED
        return Reply(content_type="audio/pcm", body=tuple(body))


@asynccontextmanager
async def scripted_server(latencies: Latencies) -> AsyncIterator[ScriptedServer]:
    """Runs until the block ends."""
    journal = Moments()
    server = ScriptedServer("", journal, latencies)
    async with serving(server.handle, journal) as url:
        server.url = f"{url}/v1"
        yield server


def _chunk(token: str) -> bytes:
    choice = {"index": 0, "delta": {"content": token}, "finish_reason": None}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    line = json.dumps({**chunk, "choices": [choice]}, ensure_ascii=False)
    return f"data: {line}\n\n".encode()
