"""Short lines by which an owner chooses a voice: kept for a while, and only so many are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import numpy as np

from relay import wav
from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.tts.base import TextToSpeech
from relay.tts.cache import ClauseCache
from relay.tts.gallery import speaker_of
from relay.wire.limits import TokenBucket

#: New ones that may be made: so many a second, so many at once. All voices of a provider can be
#: heard in one go, and a page that asks for ever uses one request of a paid service in a minute.
RATE: Final = (1 / 60, 12.0)

#: What is made of a line, in seconds; the rest is not asked for.
LONGEST_S: Final = 12.0


class TooManySamplesError(Exception):
    """No more of them for now."""


class Samples:
    """One for the relay. Belongs to its event loop."""

    def __init__(self, tts: TextToSpeech, now: Callable[[], float] | None = None) -> None:
        """`now` is in seconds, on any one clock."""
        self._tts = tts
        self._now = now or asyncio.get_running_loop().time
        self._kept = ClauseCache()
        self._made = TokenBucket(*RATE, now=self._now())
        self._one_at_a_time = asyncio.Lock()

    async def wav(self, text: str, language: str, voice: str) -> bytes:
        """A WAV file of it, spoken as `voice` and as no other.

        Raises TooManySamplesError, ProviderError.
        """
        async with self._one_at_a_time:
            key = (voice, language, text)
            speaker, name = await speaker_of(self._tts, voice)
            if (pcm := self._kept.get(key)) is None:
                if not speaker.knows(name) or (voice and not name):
                    raise ProviderError(ErrorKind.BAD_REQUEST, "There is no such voice.")
                if not self._made.take(1, self._now()):
                    raise TooManySamplesError
                pcm = await _spoken(speaker, text, language, name)
                self._kept.put(key, pcm)
            return wav.encode(pcm, speaker.rate_hz)


async def _spoken(speaker: TextToSpeech, text: str, language: str, voice: str) -> Pcm:
    pieces: list[Pcm] = []
    room = round(LONGEST_S * speaker.rate_hz)
    async with aclosing(speaker.speak(text, language, voice)) as speech:
        async for pcm in speech:
            pieces.append(pcm[:room])
            room -= len(pcm)
            if room <= 0:
                break
    if not pieces:
        raise ProviderError(ErrorKind.SERVER, "The voice made nothing of the line.")
    return np.concatenate(pieces)
