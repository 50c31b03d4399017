"""Speech to text with Whisper on this machine's own processor: no key, no cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
import structlog

from relay.audio import RATE_HZ, Pcm, duration_s
from relay.errors import ErrorKind, ProviderError
from relay.hub import WHISPERS
from relay.memory_trim import trim
from relay.models import ensure
from relay.stt.base import Transcript
from relay.stt.noise import holds_no_word, is_made_up
from relay.stt.whisper_engine import WhisperEngine
from relay.worker import Worker

#: What Whisper can hear at once.
LONGEST_S: Final = 30.0


class WhisperSpeechToText:
    """One Whisper model for all dolls, in a thread of its own. Made by `load`."""

    def __init__(self, engine: WhisperEngine, worker: Worker) -> None:
        self._engine = engine
        self._worker = worker

    @classmethod
    async def load(
        cls,
        directory: Path | None = None,
        *,
        model: str = "base",
        threads: int = 2,
        beam: int = 5,
        waiting: int = 8,
    ) -> Self:
        """Load the model and hear something once, so that the first turn is as fast as the next.

        `model` is one of `relay.hub.WHISPERS`; `base` is embedded, the others are downloaded by
        `doll models pull`. `directory` holds any other multilingual Whisper for CTranslate2. Takes
        one to two seconds. Raises ProviderError when the model cannot be had or loaded.
        """
        worker = Worker("Speech recognition", waiting)
        try:
            return cls(await worker.run(_load, directory, model, threads, beam), worker)
        except BaseException:
            await worker.close()
            raise

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """See `SpeechToText.transcribe`. Only the first 30 s of an utterance are heard."""
        asked = [language for language in languages if self._engine.knows(language)]
        if not asked:
            raise ProviderError(
                ErrorKind.BAD_REQUEST,
                f"Whisper knows none of the languages {list(languages)!r}; give ISO 639-1 codes.",
            )
        if duration_s(utterance) > LONGEST_S:
            structlog.get_logger().warning(
                "utterance cut", seconds=round(duration_s(utterance)), heard=round(LONGEST_S)
            )
            utterance = utterance[: round(LONGEST_S * RATE_HZ)]
        try:
            return await self._worker.run(_transcribe, self._engine, utterance, asked)
        except (RuntimeError, ValueError) as error:
            raise ProviderError(ErrorKind.SERVER, f"Whisper failed: {error}") from error

    async def close(self) -> None:
        """See `SpeechToText.close`."""
        await self._worker.close()


def _load(directory: Path | None, model: str, threads: int, beam: int) -> WhisperEngine:
    home = directory or ensure(WHISPERS[model].model)
    try:
        engine = WhisperEngine(home, threads, beam)
    except Exception as error:  # CTranslate2's and the tokenizer's have no base class in common
        raise ProviderError(
            ErrorKind.SERVER, f"The Whisper model in {home} cannot be loaded: {error}"
        ) from error
    # A second of faint noise takes the way of real speech, and gives no long text.
    noise = np.random.default_rng(0).normal(0, 100, RATE_HZ).astype(np.int16)
    engine.hear(noise, ["ko", "en"])
    trim()
    return engine


def _transcribe(engine: WhisperEngine, utterance: Pcm, languages: Sequence[str]) -> Transcript:
    if holds_no_word(utterance):
        return Transcript("", languages[0])
    hearing = engine.hear(utterance, languages)
    trim()  # 40 MB after a long utterance, in 2 ms
    if is_made_up(hearing):
        structlog.get_logger().debug("only noise heard", no_speech=round(hearing.no_speech, 2))
        return Transcript("", hearing.language)
    return Transcript(hearing.text, hearing.language)
