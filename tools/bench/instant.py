"""Providers that take no time, so that what is left is the relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from random import Random

import numpy as np

from relay.audio import RATE_HZ, Pcm
from relay.config import Settings
from relay.hearing.silero import SileroDetector
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.persona import load
from relay.services import Services
from relay.stt.base import Transcript

#: How long the answer plays.
REPLY_S = 2.0

_LONGEST_S = 10.0
_TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(_LONGEST_S * RATE_HZ)) / RATE_HZ)).astype(
    np.int16
)

_CHUNK = RATE_HZ // 10


class InstantSpeechToText:
    """Understands the same thing every time."""

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:  # noqa: ARG002
        return Transcript("안녕", languages[0])

    async def close(self) -> None: ...


class InstantLanguageModel:
    """One short clause."""

    async def reply(self, request: Request) -> AsyncGenerator[str, None]:  # noqa: ARG002
        yield "흥, 안녕."

    async def close(self) -> None: ...


class InstantTextToSpeech:
    """A tone of `shortest_s` to `longest_s`, evenly spread; the same ones in each run."""

    rate_hz = RATE_HZ

    def __init__(self, shortest_s: float = REPLY_S, longest_s: float = REPLY_S) -> None:
        self._range_s = shortest_s, min(longest_s, _LONGEST_S)
        self._random = Random(1)  # noqa: S311

    async def speak(
        self,
        text: str,  # noqa: ARG002
        language: str,  # noqa: ARG002
        voice: str = "",  # noqa: ARG002
    ) -> AsyncGenerator[Pcm, None]:
        reply = _TONE[: int(self._random.uniform(*self._range_s) * RATE_HZ)]
        for start in range(0, len(reply), _CHUNK):
            yield reply[start : start + _CHUNK]
            await asyncio.sleep(0)  # as a voice that streams: what is ready goes out first

    def knows(self, voice: str) -> bool:
        return not voice

    async def close(self) -> None: ...


async def build(
    settings: Settings, *, shortest_s: float = REPLY_S, longest_s: float = REPLY_S
) -> Services:
    """The relay's services with the real voice detector and everything else instant."""
    return Services(
        settings=settings,
        detector=SileroDetector(),
        stt=InstantSpeechToText(),
        brain=Chain(tail=InstantLanguageModel()),
        tts=InstantTextToSpeech(shortest_s, longest_s),
        persona=load(settings.persona.name),
    )
