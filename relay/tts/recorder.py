"""Speaks fixed lines in advance, while nobody talks, so that they are there when needed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

import structlog

from relay import locales
from relay.activity import Activity
from relay.errors import ErrorKind, ProviderError
from relay.persona.base import Persona
from relay.persona.wording import wordings
from relay.tts.base import TextToSpeech
from relay.tts.lines import RecordedLines

#: Nobody has talked for so long before a line is spoken in advance.
QUIET_S = 5.0

#: A voice that fails so often in a row is left alone until the next start.
_MAX_FAILURES = 3

_MAX_PERSONAS = 64

#: The most wanted first: a filler that is not there in time is of no use.
_SECTIONS = ("filler", "called", "failure", "outage", "wish")

_log = structlog.get_logger(__name__)


class Recorder:
    """One task for the relay. A turn that begins takes the voice back from it at once."""

    def __init__(self, tts: TextToSpeech, lines: RecordedLines, activity: Activity) -> None:
        self._tts = tts
        self._lines = lines
        self._activity = activity
        self._personas: OrderedDict[int, Persona] = OrderedDict()
        self._wanted = asyncio.Event()

    def want(self, persona: Persona) -> None:
        """A doll with this character is there: record what it may say."""
        if id(persona) not in self._personas:
            self._personas[id(persona)] = persona
            if len(self._personas) > _MAX_PERSONAS:
                self._personas.popitem(last=False)
            self._wanted.set()

    async def run(self) -> None:
        """Record what is missing, line by line; ends only where the voice or the disk fails."""
        failures = 0
        while failures < _MAX_FAILURES:
            missing = self._missing()
            if missing is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            text, language = missing
            try:
                await self._activity.spare(
                    partial(self._lines.record, self._tts, text, language), QUIET_S
                )
                if not self._lines.has(text, language):
                    raise ProviderError(ErrorKind.SERVER, "The voice made nothing of a line.")
                failures = 0
            except ProviderError as error:
                failures += 1
                _log.debug("a line was not recorded", why=error.message)
            except OSError as error:
                _log.warning("no lines are recorded", why=str(error))
                return
        _log.warning("no more lines are recorded", why="the voice fails")

    def _missing(self) -> tuple[str, str] | None:
        for section in _SECTIONS:
            for persona in self._personas.values():
                for language in persona.languages:
                    for text in _texts(persona, section, language):
                        if not self._lines.has(text, language):
                            return text, language
        return None


def _texts(persona: Persona, section: str, language: str) -> Iterator[str]:
    """The lines of a section that are the same each time: without a {when}."""
    for key in locales.lines(language):
        if key.startswith(f"{section}."):
            yield from (text for text in wordings(persona, key, language) if "{" not in text)
