"""Text to speech in the voices of the owner's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.streaming import Deadlines
from relay.tts.remote import LONGEST_S, RemoteVoice
from relay.tts.unknown import UnknownVoices
from relay.tts.voices.dialects import check_fits
from relay.tts.voices.server import VoiceServer
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice, VoiceError


class OwnTextToSpeech:
    """A TextToSpeech by a voice server, in the voices of the shelf. Shared by all dolls."""

    def __init__(
        self,
        name: str,
        shelf: VoiceShelf,
        settings: OwnVoiceSettings,
        rate_hz: int,
        deadlines: Deadlines | None = None,
    ) -> None:
        """`name` is the default. `rate_hz` is that of what is given out, whatever the server sends.

        A voice that was deleted, or is added later, is seen with the next clause.
        """
        self._name = name
        self._shelf = shelf
        self._settings = settings
        self._server = VoiceServer(settings, shelf)
        deadlines = deadlines or Deadlines(settings.first_sound_s, settings.gap_s, LONGEST_S)
        self._remote = RemoteVoice(self._server.name, rate_hz, deadlines)
        self._unknown = UnknownVoices(self._server.name)

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._remote.rate_hz

    async def learn(self, name: str = "") -> None:
        """Leave a sample at the server, if it keeps samples. Raises ProviderError."""
        voice = await asyncio.to_thread(self._voice, name or self._name)
        await self._server.register(voice, voice.language)

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. One request a clause; the first one may leave the sample.

        `voice` is `own:NAME`.
        """
        text = self._remote.speakable(text, language)
        if not text:
            return
        name = await self._chosen(voice)
        own = await asyncio.to_thread(self._voice, name)
        samples = self._server.samples(own, text, language, self.rate_hz)
        async with aclosing(self._remote.clause(samples, text, own.key)) as chunks:
            async for chunk in chunks:
                yield chunk

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`. Looks at the disk."""
        return not voice or self._shelf.there(voice) is not None

    async def _chosen(self, voice: str) -> str:
        """The name of what speaks where `voice` is asked for."""
        if not voice:
            return self._name
        name = await asyncio.to_thread(self._shelf.there, voice)
        if name is None:
            self._unknown.missed(voice)
            return self._name
        self._unknown.found(voice)
        return name

    def _voice(self, name: str) -> OwnVoice:
        try:
            own = self._shelf.get(name)
            check_fits(own, self._settings)
        except VoiceError as error:
            raise ProviderError(ErrorKind.BAD_REQUEST, f"{error}.") from None
        return own

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._remote.close()
        await self._server.close()
