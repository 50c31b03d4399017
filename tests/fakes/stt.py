"""A recogniser that hears what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.stt.base import Transcript

#: An utterance shorter than this holds no word.
SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class SttCall:
    """One call of `transcribe`, as it came."""

    utterance: Pcm
    languages: tuple[str, ...]


class FakeSpeechToText:
    """Keeps the contract of `relay.stt.base.SpeechToText` without a model.

    `text` is what it hears: one text for ever, a list used up in order (its last one stays), or a
    function of the utterance. It takes `delay_s` of the event loop's time. With `error` (an
    exception), every call raises it after the delay. All of them may be set anew between calls.
    Like a real recogniser it hears nothing in silence (all samples zero) or in less than 0.1 s, and
    uses up no text then.

    `language` is reported when it is among the languages asked for, else the first of those.
    `calls` records what came; `cancelled` counts the calls that were cancelled while they waited.
    """

    def __init__(
        self,
        text: str | Sequence[str] | Callable[[Pcm], str] = "안녕",
        language: str = "ko",
        delay_s: float = 0.0,
        error: Exception | None = None,
        supported: Sequence[str] = ("ko", "en"),
    ) -> None:
        self.text = text
        self.language = language
        self.delay_s = delay_s
        self.error = error
        self.calls: list[SttCall] = []
        self.cancelled = 0
        self.closed = False
        self._supported = frozenset(supported)
        self._used = 0

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """See `SpeechToText.transcribe`."""
        if self.closed:
            raise ProviderError(ErrorKind.SERVER, "The fake recogniser is closed.")
        asked = [language for language in languages if language in self._supported]
        if not asked:
            raise ProviderError(ErrorKind.BAD_REQUEST, f"No language of {languages!r} is known.")
        self.calls.append(SttCall(utterance, tuple(languages)))
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        language = self.language if self.language in asked else asked[0]
        if len(utterance) < SHORTEST_S * RATE_HZ or not utterance.any():
            return Transcript("", language)
        return Transcript(self._next(utterance), language)

    def _next(self, utterance: Pcm) -> str:
        if isinstance(self.text, str):
            return self.text
        if callable(self.text):
            return self.text(utterance)
        text = self.text[min(self._used, len(self.text) - 1)]
        self._used += 1
        return text

    async def close(self) -> None:
        """See `SpeechToText.close`."""
        self.closed = True
