"""`python -m tools.faults.server`: a relay to be broken.

It hears with the real voice detector and answers the same every time; each prompt that its brain is
given is written to `prompts.jsonl` in its folder. Where the settings name a provider with OpenAI's
API, that is asked first, by the real client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path

from relay.audio import RATE_HZ, Pcm
from relay.config import Settings, load
from relay.hearing.silero import SileroDetector
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.llm.providers import open_brain
from relay.persona import load as load_persona
from relay.serve import serve
from relay.services import Services
from relay.stt.base import Transcript
from relay.tts.base import TextToSpeech
from relay.tts.fallback import FallbackTextToSpeech
from relay.tts.providers import open_tts
from relay.tts.voices.shelf import VoiceShelf
from tools.faults.sound import sweep

PROMPTS = "prompts.jsonl"
ANSWER = "그건 나도 잘 모르겠어."

_CHUNK = RATE_HZ // 10


class Counting:
    """Understands something else each time, so that one can tell what is remembered."""

    def __init__(self) -> None:
        self._count = 0

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:  # noqa: ARG002
        self._count += 1
        return Transcript(f"질문 {self._count}", languages[0])

    async def close(self) -> None: ...


class Recording:
    """One clause, and a record of what it was asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def reply(self, request: Request) -> AsyncGenerator[str, None]:
        asked = {"heard": request.text, "history": [line.text for line in request.history]}
        self._write(json.dumps(asked, ensure_ascii=False))
        yield ANSWER

    def _write(self, line: str) -> None:
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            pass  # the disk is full: that is what is tried

    async def close(self) -> None: ...


class Sweeping:
    """A tone of which each sample can be told from every other."""

    rate_hz = RATE_HZ

    def __init__(self, seconds: float) -> None:
        self._pcm = sweep(seconds)

    async def speak(
        self,
        text: str,  # noqa: ARG002
        language: str,  # noqa: ARG002
        voice: str = "",  # noqa: ARG002
    ) -> AsyncGenerator[Pcm, None]:
        for start in range(0, len(self._pcm), _CHUNK):
            yield self._pcm[start : start + _CHUNK]
            await asyncio.sleep(0)

    def knows(self, voice: str) -> bool:
        return not voice

    async def close(self) -> None: ...


async def build(settings: Settings, answer_s: float) -> Services:
    """The services of that relay."""
    brain = Chain(tail=Recording(settings.relay.data / PROMPTS))
    if settings.brain != "local":
        brain = await open_brain(settings)
    tts: TextToSpeech = Sweeping(answer_s)
    if settings.tts.provider != "kokoro":
        first = await open_tts(settings.tts, VoiceShelf.of(settings.relay.data))
        tts = FallbackTextToSpeech([(settings.tts.provider, first), ("sweep", tts)])
    return Services(
        settings=settings,
        detector=SileroDetector(),
        stt=Counting(),
        brain=brain,
        tts=tts,
        persona=load_persona(settings.persona.name),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-format")
    parser.add_argument("--answer", type=float, default=2.5, help="seconds of an answer")
    arguments = parser.parse_args()
    relay = {"port": arguments.port, "log_format": arguments.log_format}
    # No fillers: what is heard is compared sample by sample.
    flags: dict[str, dict[str, object]] = {"relay": relay, "turn": {"max_fillers": 0}}
    serve(load(flags=flags), partial(build, answer_s=arguments.answer))
