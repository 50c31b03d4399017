"""A voice that speaks a tone of a known length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.tts.unknown import UnknownVoices

TONE_HZ = 440.0
TONE_PEAK = 8_000

#: Voices besides the default, by the height of their tone.
VOICES_HZ = {"low": 220.0, "high": 880.0}


@dataclass(frozen=True, slots=True)
class TtsCall:
    """One call of `speak` from which something was asked."""

    text: str
    language: str
    voice: str = ""


class FakeTextToSpeech:
    """Keeps the contract of `relay.tts.base.TextToSpeech` without a model.

    Each text with a letter or digit in it sounds for `seconds_per_clause`, as a tone (440 Hz for
    the default voice, others as `voices` has it) in chunks of `chunk_s`, the first of them after
    `first_delay_s` of the event loop's time. With `error` (an exception), `speak` raises it in
    place of the first chunk; with `error_after` too, after that many chunks. All of them may be set
    anew between calls.

    `calls` records what was spoken; `finished` and `stopped` count the calls that ran to their end
    and those that were closed or cancelled before.
    """

    def __init__(
        self,
        seconds_per_clause: float = 0.5,
        rate_hz: int = 16_000,
        first_delay_s: float = 0.0,
        error: Exception | None = None,
        chunk_s: float = 0.1,
        error_after: int = 0,
        supported: Sequence[str] = ("ko", "en"),
        voices: Mapping[str, float] = VOICES_HZ,
    ) -> None:
        self.seconds_per_clause = seconds_per_clause
        self.first_delay_s = first_delay_s
        self.error = error
        self.error_after = error_after
        self.chunk_s = chunk_s
        self.calls: list[TtsCall] = []
        self.finished = 0
        self.stopped = 0
        self.closed = False
        self._rate_hz = rate_hz
        self._supported = frozenset(supported)
        self._voices = voices
        self._unknown = UnknownVoices("fake")

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._rate_hz

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`."""
        if self.closed:
            raise ProviderError(ErrorKind.SERVER, "The fake voice is closed.")
        if language not in self._supported:
            raise ProviderError(ErrorKind.BAD_REQUEST, f"Language {language!r} is not known.")
        self.calls.append(TtsCall(text, language, voice))
        if not self.knows(voice):
            self._unknown.missed(voice)
        done = False
        try:
            if any(character.isalnum() for character in text):
                await asyncio.sleep(self.first_delay_s)
                chunks = self._chunks(self._voices.get(voice, TONE_HZ))
                for chunk in chunks if self.error is None else chunks[: self.error_after]:
                    yield chunk
                if self.error is not None:
                    raise self.error
            done = True
        finally:
            if done:
                self.finished += 1
            else:
                self.stopped += 1

    def voices(self) -> list[str]:
        """See `relay.tts.gallery.Choice`."""
        return list(self._voices)

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`."""
        return not voice or voice in self._voices

    def _chunks(self, tone_hz: float = TONE_HZ) -> list[Pcm]:
        samples = round(self.seconds_per_clause * self._rate_hz)
        step = max(1, round(self.chunk_s * self._rate_hz))
        wave = np.sin(2 * np.pi * tone_hz / self._rate_hz * np.arange(samples))
        tone = (TONE_PEAK * wave).astype(np.int16)
        return [tone[start : start + step] for start in range(0, samples, step)]

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self.closed = True
