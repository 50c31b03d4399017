"""The fixed lines of all voices that dolls have, and who speaks more of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from relay.tts.base import TextToSpeech
from relay.tts.cache import ClauseCache
from relay.tts.lines import RecordedLines
from relay.tts.voices.lines import own_lines
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from relay.tts.voices.voice import VoiceError, own_name

#: Voices of which the recordings are known at the same time; others are looked up anew.
_MOST: Final = 256

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one voice."""

    recorded: RecordedLines
    tts: TextToSpeech  #: who speaks them, never one that only stands in
    voice: str  #: of `tts`; empty for its default

    async def record(self, text: str, language: str) -> None:
        """See `RecordedLines.record`."""
        await self.recorded.record(self.tts, text, language, self.voice)


class Repertoire:
    """Finds a voice's lines. One for the whole relay.

    Dolls with the same voice share its recordings, and so do all whose voice is not there: they
    have those of the default. Lines of an own voice lie beside its sample.
    """

    def __init__(
        self,
        tts: OwnOrUsual,
        shelf: VoiceShelf,
        own: OwnVoiceSettings,
        directory: Path,
        engine: str,
        lines_voice: TextToSpeech | None = None,
    ) -> None:
        """`engine` is all that makes the usual voice sound as it does, but for the voice's name.

        `lines_voice` speaks in place of the usual one, where there is one; it is not closed here.
        """
        self._tts = tts
        self._shelf = shelf
        self._own = own
        self._directory = directory
        self._engine = engine
        self._lines_voice = lines_voice
        self._recent = ClauseCache(4 << 20)
        # By the voice's name and all that makes it differ: two voices may have the same sample.
        self._known: dict[tuple[str, str], RecordedLines] = {}
        self._opening = asyncio.Lock()

    async def of(self, voice: str = "") -> Part:
        """The lines of the voice that speaks, as things are, where `voice` is asked for."""
        tts, chosen = await self._tts.alone(voice)
        if (own := own_name(chosen)) is not None:
            try:
                lines = await asyncio.to_thread(
                    own_lines, self._shelf, own, self._own, tts.rate_hz, self._recent
                )
            except VoiceError:  # deleted just now, or it cannot be read
                tts, chosen = self._tts.usual, ""
            else:
                return Part(await self._opened(chosen, lines), tts, chosen)
        if self._lines_voice is not None:
            tts = self._lines_voice
            chosen = voice if tts.knows(voice) else ""
        name = f"{self._engine}/{chosen}"
        lines = RecordedLines(self._directory, name, tts.rate_hz, recent=self._recent)
        return Part(await self._opened(chosen, lines), tts, chosen)

    async def _opened(self, chosen: str, lines: RecordedLines) -> RecordedLines:
        """The same lines as they are known, or these, once it was looked which are there."""
        key = (chosen, lines.voice)
        if (known := self._known.get(key)) is not None:
            return known
        async with self._opening:
            if key not in self._known:
                try:
                    await lines.open()
                except OSError as error:
                    _log.warning("recorded lines cannot be read", why=str(error))
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[key] = lines
            return self._known[key]
