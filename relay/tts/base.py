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

    def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """Stream the speech for one clause, in chunks of any length at `rate_hz`.

        `text` is already speakable: no emoji, no markup. Text with nothing to say yields nothing.
        `voice` is one of the provider's, as a persona names it; empty for the one that is
        configured, which also speaks for a voice that the provider does not have: that is no
        failure, and the log tells it once. Each call is on its own: dolls with different voices
        speak at the same time.
        The caller closes the generator (`contextlib.aclosing`) or cancels its task.
        Raises ProviderError.
        """
        ...

    def knows(self, voice: str) -> bool:
        """Whether this voice speaks where it is asked for, as far as is known by now.

        A service may only say so when it is asked. The default, "", is always known.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...
