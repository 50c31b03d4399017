"""Providers inside the relay's process that take their time, fail when they are told to, and know
what is still open."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from relay.audio import RATE_HZ, Pcm
from relay.llm.base import Request
from relay.llm.meter import Meter, TextOnly, Unmetered
from relay.stt.base import Transcript
from tools.bench.pipeline_script import (
    ANSWER,
    CHUNK_S,
    QUESTION,
    VOICE_SPEED,
    Latencies,
    speech_s,
    tokens,
)

_TONE: Pcm = (8000 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
_CHUNK = round(CHUNK_S * RATE_HZ)

Trouble = Callable[[], Exception | None]
"""Asked at each step of a provider: what it fails with there, if it does."""


def _no_trouble() -> None:
    return None


@dataclass(slots=True)
class Streams:
    """What a provider sees of its clients. Times are the loop's seconds."""

    open: int = 0
    begun: int = 0
    cuts: int = 0  #: that were closed by the client before their end
    cut_at: deque[float] = field(default_factory=lambda: deque(maxlen=16))  #: the last of them

    @contextmanager
    def one(self) -> Iterator[None]:
        """While it is open; a block that is left by GeneratorExit or cancelled was cut."""
        self.open += 1
        self.begun += 1
        try:
            yield
        except (GeneratorExit, asyncio.CancelledError):
            self.cuts += 1
            self.cut_at.append(asyncio.get_running_loop().time())
            raise
        finally:
            self.open -= 1


class ScriptedSpeechToText:
    """Hears the same question each time."""

    def __init__(self, latencies: Latencies, streams: Streams, trouble: Trouble = _no_trouble):
        self._latencies, self._streams, self._trouble = latencies, streams, trouble

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:  # noqa: ARG002
        with self._streams.one():
            await asyncio.sleep(self._latencies.stt)
            _raise(self._trouble())
            return Transcript(QUESTION, languages[0])

    async def close(self) -> None: ...


class ScriptedLanguageModel(TextOnly):
    """Streams the same answer each time; a late reader does not slow it down."""

    def __init__(
        self,
        latencies: Latencies,
        streams: Streams,
        trouble: Trouble = _no_trouble,
        answer: str = ANSWER,
    ) -> None:
        self.name = "scripted"
        self._tokens = tokens(answer)
        self._latencies, self._streams, self._trouble = latencies, streams, trouble

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:  # noqa: ARG002
        """See MeteredModel."""
        return 1

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[str, None]:
        """See LanguageModel.reply."""
        await (meter or Unmetered()).permit(self.tokens(request))
        with self._streams.one():
            due = _now() + self._latencies.first_token
            for token in self._tokens:
                await _until(due)
                _raise(self._trouble())
                yield token
                due += self._latencies.token

    async def close(self) -> None: ...


class ScriptedTextToSpeech:
    """A tone as long as the text, some times faster than it sounds."""

    rate_hz = RATE_HZ

    def __init__(self, latencies: Latencies, streams: Streams, trouble: Trouble = _no_trouble):
        self._latencies, self._streams, self._trouble = latencies, streams, trouble

    async def speak(
        self,
        text: str,
        language: str,  # noqa: ARG002
        voice: str = "",  # noqa: ARG002
    ) -> AsyncGenerator[Pcm, None]:
        with self._streams.one():
            due = _now() + self._latencies.first_sound
            for _ in range(round(speech_s(text) / CHUNK_S)):
                await _until(due)
                _raise(self._trouble())
                yield _TONE[:_CHUNK]
                due += CHUNK_S / VOICE_SPEED

    def knows(self, voice: str) -> bool:
        return not voice

    async def close(self) -> None: ...


def _raise(trouble: Exception | None) -> None:
    if trouble is not None:
        raise trouble


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - _now()))
