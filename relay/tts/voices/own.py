"""Text to speech in a voice of the owner's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.streaming import Deadlines
from relay.tts.remote import LONGEST_S, RemoteVoice
from relay.tts.voices.server import VoiceServer
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice, VoiceError

_log = structlog.get_logger(__name__)


class OwnTextToSpeech:
    """A TextToSpeech by a voice server, in one of the voices of the shelf."""

    def __init__(
        self,
        name: str,
        shelf: VoiceShelf,
        settings: OwnVoiceSettings,
        rate_hz: int,
        deadlines: Deadlines | None = None,
    ) -> None:
        """`rate_hz` is that of what is given out, whatever the server sends."""
        self.name = name
        self._shelf = shelf
        self._server = VoiceServer(settings, shelf)
        deadlines = deadlines or Deadlines(settings.first_sound_s, settings.gap_s, LONGEST_S)
        self._remote = RemoteVoice(self._server.name, rate_hz, deadlines)
        self._warming: asyncio.Task[None] | None = None

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._remote.rate_hz

    def warm_up(self) -> None:
        """Leave the sample at the server before it is needed; a failure is only logged."""
        self._warming = asyncio.create_task(self._warm_up())

    async def _warm_up(self) -> None:
        try:
            await self.learn()
        except ProviderError as error:
            _log.warning(
                "own voice is not ready, the usual one speaks until it is",
                voice=self.name, why=error.message,
            )  # fmt: skip

    async def learn(self) -> None:
        """Leave the sample at the server, if it keeps samples. Raises ProviderError."""
        voice = await self._voice()
        await self._server.register(voice, voice.language)

    async def _voice(self) -> OwnVoice:
        try:
            return await asyncio.to_thread(self._shelf.get, self.name)
        except VoiceError as error:
            raise ProviderError(ErrorKind.BAD_REQUEST, f"{error}.") from None

    async def speak(self, text: str, language: str) -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. One request a clause; the first one may leave the sample."""
        text = self._remote.speakable(text, language)
        if not text:
            return
        voice = await self._voice()
        samples = self._server.samples(voice, text, language, self.rate_hz)
        async with aclosing(self._remote.clause(samples, text, voice.key)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._remote.close()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._server.close()
