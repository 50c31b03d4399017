"""Speech to text: what every recogniser offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.audio import Pcm


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `text` is empty when nothing was understood."""

    text: str
    language: str  #: ISO 639-1, one of the languages that were asked for


class SpeechToText(Protocol):
    """Turns an utterance into text.

    One instance serves all dolls at once. Work that takes the CPU leaves the event loop.
    Cancelling a call ends it at once for the caller; a computation that cannot be stopped ends
    unheard.
    """

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """Recognise `utterance` (16 kHz, any length; too short or silent gives an empty text).

        `languages` are the ones it may be in, the likeliest first; with one there is no detection.
        Raises ProviderError.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...
