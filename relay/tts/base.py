"""Text to speech: what every voice offers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from relay.audio import Pcm


class TextToSpeech(Protocol):
    """Speaks one clause at a time."""

    @property
    def rate_hz(self) -> int:
        """Samples per second of what `speak` yields."""
        ...

    def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """Stream the speech for one clause, in chunks of any length at `rate_hz`.

        `text` is already speakable: no emoji, no markup. Text with nothing to say yields nothing.
        The caller closes the generator (`contextlib.aclosing`) or cancels its task.
        Raises ProviderError.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...
