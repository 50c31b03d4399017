"""The owner's own voices with the usual one behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

import structlog

from relay.audio import Pcm
from relay.errors import ProviderError
from relay.llm.extras import MissingExtraError
from relay.tts.base import TextToSpeech
from relay.tts.fallback import FallbackTextToSpeech
from relay.tts.unknown import UnknownVoices
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import PREFIX, own_name

_log = structlog.get_logger(__name__)


class OwnVoices(TextToSpeech, Protocol):
    """What speaks with voices of the shelf: `OwnTextToSpeech`, or a test's stand-in."""

    async def learn(self, name: str = "") -> None:
        """Make a voice ready. Raises ProviderError."""
        ...


class OwnOrUsual:
    """A TextToSpeech: the own voices while they are on the shelf, and the usual one for the rest.

    The usual one also goes on in the same clause where an own voice fails, and speaks for a voice
    that was deleted, which the log tells once; a voice that comes back is used again.
    """

    def __init__(
        self,
        shelf: VoiceShelf,
        open_own: Callable[[], OwnVoices],
        usual: TextToSpeech,
        default: str = "",
    ) -> None:
        """`open_own` is called, in a thread, when an own voice is first needed.

        It may raise MissingExtraError, which is logged. What it gives has the rate of `usual`, and
        both are closed with this. `default` is `own:NAME`, or empty for the default of `usual`.
        """
        self._shelf = shelf
        self._open_own = open_own
        self._usual = usual
        self._default = default
        self._own: OwnVoices | None = None
        self._cannot = False  # there will be no own voices: what they need is missing
        self._opening = asyncio.Lock()
        # One for each own voice: a sample that fails does not put the others to rest.
        self._each: dict[str, FallbackTextToSpeech] = {}
        self._warming: dict[str, asyncio.Task[None]] = {}
        self._unknown = UnknownVoices("own", "doll voice list; doll voice add")

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return self._usual.rate_hz

    @property
    def usual(self) -> TextToSpeech:
        """Who speaks with voices that are not the owner's: never one that only stands in."""
        usual = self._usual
        return usual.preferred if isinstance(usual, FallbackTextToSpeech) else usual

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. `voice` is `own:NAME` or one of the usual provider."""
        own, voice = await self._chosen(voice)
        speaker = self._usual if own is None else self._with_usual(own, voice)
        async with aclosing(speaker.speak(text, language, voice)) as chunks:
            async for chunk in chunks:
                yield chunk

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`. Looks at the disk for an own voice."""
        if own_name(voice) is None:
            return self._usual.knows(voice)
        return not self._cannot and self._shelf.there(voice) is not None

    async def alone(self, voice: str = "") -> tuple[TextToSpeech, str]:
        """Who speaks where `voice` is asked for, and as which: for what is kept.

        Never one that only stands in.
        """
        own, voice = await self._chosen(voice)
        if own is not None:
            return own, voice
        return self.usual, voice if self.usual.knows(voice) else ""

    def warm_up(self, voice: str = "") -> None:
        """Have an own voice ready before it is needed; a failure is only logged."""
        if own_name(voice or self._default) is not None and voice not in self._warming:
            self._warming[voice] = task = asyncio.create_task(self._warm_up(voice))
            task.add_done_callback(lambda _: self._warming.pop(voice, None))

    async def _warm_up(self, voice: str) -> None:
        own, voice = await self._chosen(voice)
        if own is None:
            return
        try:
            await own.learn(voice.removeprefix(PREFIX))
        except ProviderError as error:
            _log.warning(
                "own voice is not ready, the usual one speaks until it is",
                voice=voice, why=error.message,
            )  # fmt: skip

    async def _chosen(self, voice: str) -> tuple[OwnVoices | None, str]:
        """Who speaks where `voice` is asked for (None: the usual one), and as which."""
        for asked in dict.fromkeys((voice or self._default, self._default)):
            if own_name(asked) is None:
                if not self._default or self._usual.knows(asked):
                    return None, asked
                self._unknown.missed(asked)
                continue
            name = await asyncio.to_thread(self._shelf.there, asked)
            if name is None:
                self._each.pop(asked, None)
                self._unknown.missed(asked)
                continue
            # At once: while the engine is opened the voice may be deleted, and that be told.
            self._unknown.found(asked)
            if (own := await self._opened()) is not None:
                return own, PREFIX + name
        return None, ""

    async def _opened(self) -> OwnVoices | None:
        async with self._opening:
            if self._own is None and not self._cannot:
                try:
                    self._own = await asyncio.to_thread(self._open_own)
                except MissingExtraError as error:
                    self._cannot = True
                    _log.warning("no own voices, the usual one speaks", why=str(error))
            return self._own

    def _with_usual(self, own: OwnVoices, voice: str) -> FallbackTextToSpeech:
        if voice not in self._each:
            pair = [(voice, own), ("usual", _Default(self._usual))]
            self._each[voice] = FallbackTextToSpeech(pair)
        return self._each[voice]

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        async with self._opening:
            self._cannot = True
        warming = list(self._warming.values())
        for task in warming:
            task.cancel()
        await asyncio.gather(*warming, return_exceptions=True)
        parts = (self._own, self._usual)
        await asyncio.gather(
            *(part.close() for part in parts if part is not None), return_exceptions=True
        )


class _Default:
    """The usual voice behind an own one: of that one's name it knows nothing."""

    def __init__(self, usual: TextToSpeech) -> None:
        self._usual = usual

    @property
    def rate_hz(self) -> int:
        return self._usual.rate_hz

    def speak(
        self,
        text: str,
        language: str,
        voice: str = "",  # noqa: ARG002 (the own one's)
    ) -> AsyncGenerator[Pcm, None]:
        return self._usual.speak(text, language)

    def knows(self, voice: str) -> bool:
        return not voice

    async def close(self) -> None:
        await self._usual.close()
