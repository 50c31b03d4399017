"""A fake of the servers that speak in a voice of a sample, over real sockets.

It knows the routes of all that the relay talks with, refuses what they would refuse (fields that
they do not have included), keeps samples as they do, and otherwise plays the replies that a test
has queued for the next clauses.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import io
import json
import re
import wave
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from relay import wav
from relay.audio import Pcm
from relay.tts.voices.settings import OwnVoiceSettings, ServerKind
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice
from tests.fakes.openai_audio import TONE, TONES, VOICE_HZ, spoken
from tools.fake_gemini.http import Journal, Reply, Request, serving

KEY = "vs-fake-fake-fake"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: The fields of POST /tts in GPT-SoVITS's api_v2.py; the real one drops others in silence.
_SOVITS = _words(
    "text text_lang ref_audio_path aux_ref_audio_paths prompt_lang prompt_text top_k top_p"
    " temperature text_split_method batch_size batch_threshold split_bucket speed_factor"
    " fragment_interval seed media_type streaming_mode parallel_infer repetition_penalty"
    " sample_steps super_sampling overlap_length min_chunk_length"
)
#: Those of vLLM-Omni's speech, of chatterbox-tts-api's, and of the relay's own contract.
_VLLM = _words(
    "model input voice response_format speed task_type language instructions max_new_tokens stream"
    " stream_format ref_audio ref_text x_vector_only_mode"
)
_CHATTERBOX = _words(
    "model input voice response_format speed stream_format exaggeration cfg_weight temperature"
)
_DOLL = _words("voice text language")


class FakeVoiceServer:
    """`async with serving_voices(kind) as fake:` starts one."""

    def __init__(self, kind: ServerKind, key: str | None, files: Path | None) -> None:
        self.kind = kind
        self.url = ""
        self.journal = Journal()
        self.voices: dict[str, dict[str, Any]] = {}  #: what it keeps, by key
        self.uploads = 0
        self.clauses: list[dict[str, Any]] = []  #: the bodies of requests for speech
        self.refuses_samples: Reply | None = None
        self.refuses_all: Reply | None = None
        self._key = key
        self._files = files  # GPT-SoVITS reads samples below this only
        self._replies: deque[Reply] = deque()

    @property
    def base_url(self) -> str:
        """As it stands in the settings."""
        return self.url if self.kind in ("doll", "gpt-sovits") else f"{self.url}/v1"

    def play(self, *replies: Reply) -> None:
        """Queue replies for the next valid clauses; without one, TONE is spoken."""
        self._replies.extend(replies)

    def settings(self, **more: object) -> OwnVoiceSettings:
        """How the relay is told of this server."""
        samples = {"samples": str(self._files)} if self.kind == "gpt-sovits" else {}
        fields = {"server": self.kind, "base_url": self.base_url, **samples, **more}
        return OwnVoiceSettings.model_validate(fields)

    async def handle(self, request: Request) -> Reply:
        if self.refuses_all is not None:
            return self.refuses_all
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return refusal(401, "wrong key")
        route = f"{request.method} {request.target}"
        if route == "POST /v1/speech" and self.kind == "doll":
            return self._clause(request.json, _DOLL, "text", "voice")
        if route == "POST /v1/audio/speech" and self.kind in ("vllm-omni", "reference"):
            return self._vllm(request.json)
        if route == "POST /v1/audio/speech" and self.kind == "chatterbox-api":
            return self._clause(request.json, _CHATTERBOX, "input", "voice")
        if route == "POST /tts" and self.kind == "gpt-sovits":
            return self._sovits(request.json)
        return self._library(request)

    def _library(self, request: Request) -> Reply:
        folder = {"vllm-omni": "/v1/audio/voices"}.get(self.kind, "/v1/voices")
        if self.kind in ("reference", "gpt-sovits") or not request.target.startswith(folder):
            return refusal(404, "no such path")
        key = request.target[len(folder) :].removeprefix("/")
        if not key and request.method == "POST" and self.kind != "doll":
            return self._upload(request)
        if not key and request.method == "GET" and self.kind == "vllm-omni":
            uploaded = [{"name": name} for name in self.voices]
            return answer({"voices": ["vivian", *self.voices], "uploaded_voices": uploaded})
        if request.method == "PUT" and self.kind == "doll":
            body = request.json
            assert set(body) == {"sample", "text", "language"}
            return self._keep(key, base64.b64decode(body.pop("sample")), body)
        if key not in self.voices:
            return refusal(404, "voice not found")
        if request.method == "DELETE":
            del self.voices[key]
        return answer({"voice": key})

    def _upload(self, request: Request) -> Reply:
        head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
        form: dict[str, Any] = {}
        for part in message.iter_parts():  # type: ignore[attr-defined]
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            form[name] = data if part.get_filename() else data.decode()
        if self.kind == "vllm-omni":
            assert set(form) - {"ref_text"} == {"audio_sample", "consent", "name"}
            return self._keep(form["name"], form.pop("audio_sample"), form)
        assert set(form) == {"voice_file", "voice_name", "language"}
        if form["voice_name"] in self.voices:
            return refusal(409, "voice exists")
        return self._keep(form["voice_name"], form.pop("voice_file"), form, status=201)

    def _keep(self, key: str, sample: bytes, about: dict[str, Any], status: int = 200) -> Reply:
        self.uploads += 1
        if self.refuses_samples is not None:
            return self.refuses_samples
        assert re.fullmatch(r"[a-z0-9-]+", key)
        with wave.open(io.BytesIO(sample)) as file:
            assert file.getnframes() > 0
        self.voices[key] = {**about, "sample": sample}
        return answer({"voice": key}, status)

    def _vllm(self, body: dict[str, Any]) -> Reply:
        if self.kind == "reference":
            if not str(body.get("ref_audio")).startswith("data:audio/wav;base64,"):
                return refusal(400, "Base task requires ref_audio")
            if not body.get("ref_text") and not body.get("x_vector_only_mode"):
                return refusal(400, "ref_text is required")
            return self._clause(body, _VLLM, "input")
        return self._clause(body, _VLLM, "input", "voice", unknown=400)

    def _sovits(self, body: dict[str, Any]) -> Reply:
        for field in ("ref_audio_path", "text", "text_lang", "prompt_lang"):
            if not body.get(field):
                return refusal(400, f"{field} is required")
        assert self._files is not None
        if not Path(body["ref_audio_path"]).is_relative_to(self._files):
            return refusal(400, "tts failed")
        with wave.open(body["ref_audio_path"]) as file:
            if not 3 <= file.getnframes() / file.getframerate() <= 10:
                return refusal(400, "tts failed")
        return self._clause(body, _SOVITS, "text")

    def _clause(
        self,
        body: dict[str, Any],
        fields: frozenset[str],
        text: str,
        voice: str | None = None,
        unknown: int = 404,
    ) -> Reply:
        self.clauses.append(body)
        if not set(body) <= fields:
            return refusal(422, f"unknown fields: {set(body) - fields}")
        if not body.get(text):
            return refusal(422, "no text")
        if voice and body.get(voice) not in self.voices:
            return refusal(unknown, "voice not found")
        if self._replies:
            return self._replies.popleft()
        return spoken(wav.encode(self._sound(body, voice), VOICE_HZ), content_type="audio/wav")

    def _sound(self, body: dict[str, Any], voice: str | None) -> Pcm:
        """As long as TONE, in the tone of the voice's sample."""
        if voice:
            sample = self.voices[body[voice]]["sample"]
        elif "ref_audio" in body:
            sample = base64.b64decode(body["ref_audio"].partition(",")[2])
        else:
            sample = Path(body["ref_audio_path"]).read_bytes()
        with wave.open(io.BytesIO(sample)) as file:
            return np.frombuffer(file.readframes(len(TONE)), np.int16)


@asynccontextmanager
async def serving_voices(
    kind: ServerKind = "doll", *, key: str | None = None, files: Path | None = None
) -> AsyncIterator[FakeVoiceServer]:
    fake = FakeVoiceServer(kind, key, files)
    async with serving(fake.handle, fake.journal) as url:
        fake.url = url
        yield fake


def answer(body: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, body=(json.dumps(body).encode(),))


def refusal(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, body=(json.dumps({"error": message}).encode(),), headers=headers)


def voice_of(
    name: str = "jinju", sample: bytes | None = None, seconds: float = 5.0, **about: Any
) -> tuple[OwnVoice, bytes]:
    """A voice and its sample: a tone of so many seconds."""
    if sample is None:
        sample = wav.encode(np.resize(TONE, round(seconds * VOICE_HZ)), VOICE_HZ)
    fields: dict[str, Any] = {
        "name": name,
        "speaker": "진주",
        "consent": "내 목소리로 인형이 말해도 좋아요.",
        "agreed_how": "typed",
        "agreed_at": "2026-11-23T18:00:00+09:00",
        "text": "안녕, 나는 진주야.",
        "language": "ko",
        "seconds": seconds,
        "rate_hz": VOICE_HZ,
        "digest": hashlib.sha256(sample).hexdigest(),
    }
    return OwnVoice(**(fields | about)), sample


def other_voice(name: str = "sua") -> tuple[OwnVoice, bytes]:
    """A voice that speaks another tone, and its sample."""
    return voice_of(name, wav.encode(np.resize(TONES["high"], 5 * VOICE_HZ), VOICE_HZ))


def shelf_with(folder: Path, name: str = "jinju", **about: Any) -> VoiceShelf:
    """A shelf in `folder` with one voice."""
    shelf = VoiceShelf.of(folder)
    shelf.add(*voice_of(name, **about))
    return shelf
