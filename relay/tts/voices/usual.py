"""The own voice with the usual one behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from relay.audio import Pcm
from relay.tts.base import TextToSpeech
from relay.tts.fallback import FallbackTextToSpeech
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import PREFIX

_log = structlog.get_logger(__name__)


class OwnOrUsual:
    """A TextToSpeech: the own voice while it is on the shelf, and the usual one when it fails.

    Once it was deleted the usual one speaks alone, which the log tells once; a voice that comes
    back is used again.
    """

    def __init__(
        self, name: str, shelf: VoiceShelf, own: TextToSpeech, usual: TextToSpeech
    ) -> None:
        """Both are closed with this, and speak at the same rate."""
        self.name = name
        self._shelf = shelf
        self._own = own
        self._usual = usual
        self._both = FallbackTextToSpeech([(PREFIX + name, own), ("usual", usual)])
        self._missed = False

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._own.rate_hz

    @property
    def preferred(self) -> TextToSpeech:
        """Who speaks as things are, alone: for what is kept."""
        return self._own if self._shelf.has(self.name) else self._usual

    async def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. A failure is taken over in the middle of the clause."""
        there = await asyncio.to_thread(self._shelf.has, self.name)
        if not there and not self._missed:
            _log.warning(
                "own voice is gone, the usual one speaks",
                voice=self.name, help="doll voice list; doll voice add",
            )  # fmt: skip
        self._missed = not there
        voice = self._both if there else self._usual
        async with aclosing(voice.speak(text, language)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        await self._both.close()
