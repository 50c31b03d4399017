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
from relay.tts.repertoire import Part, Repertoire

#: Nobody has talked for so long before a line is spoken in advance.
QUIET_S = 5.0

#: A voice that fails so often in a row is left alone until the next start.
_MAX_FAILURES = 3

_MAX_PERSONAS = 64

#: The most wanted first: a filler that is not there in time is of no use.
_SECTIONS = ("filler", "called", "failure", "outage", "wish", "welcome")

_log = structlog.get_logger(__name__)


class Recorder:
    """One task for the relay. A turn that begins takes the voice back from it at once."""

    def __init__(self, repertoire: Repertoire, activity: Activity) -> None:
        self._repertoire = repertoire
        self._activity = activity
        self._personas: OrderedDict[int, Persona] = OrderedDict()
        self._failures: dict[str, int] = {}  # in a row, by voice
        self._wanted = asyncio.Event()

    def want(self, persona: Persona) -> None:
        """A doll with this character is there: record what it may say."""
        if id(persona) not in self._personas:
            self._personas[id(persona)] = persona
            if len(self._personas) > _MAX_PERSONAS:
                self._personas.popitem(last=False)
            self._wanted.set()

    async def run(self) -> None:
        """Record what is missing, line by line; ends only where the disk fails."""
        while True:
            self._wanted.clear()
            missing = await self._missing()
            if missing is None:
                await self._wanted.wait()
                continue
            part, text, language = missing
            try:
                await self._activity.spare(partial(part.record, text, language), QUIET_S)
                if not part.recorded.has(text, language) and part.tts.knows(part.voice):
                    raise ProviderError(ErrorKind.SERVER, "The voice made nothing of a line.")
                self._failures.pop(part.voice, None)
            except ProviderError as error:
                self._failed(part.voice, error)
            except OSError as error:
                _log.warning("no lines are recorded", why=str(error))
                return

    def _failed(self, voice: str, error: ProviderError) -> None:
        failures = self._failures[voice] = self._failures.get(voice, 0) + 1
        _log.debug("a line was not recorded", why=error.message)
        if failures == _MAX_FAILURES:
            _log.warning("no more lines are recorded", voice=voice, why="the voice fails")

    async def _missing(self) -> tuple[Part, str, str] | None:
        """The line that is wanted most, of the voices that do not fail."""
        personas = list(self._personas.values())
        parts = [(persona, await self._repertoire.of(persona.voice)) for persona in personas]
        for section in _SECTIONS:
            for persona, part in parts:
                if self._failures.get(part.voice, 0) >= _MAX_FAILURES:
                    continue
                for language in persona.languages:
                    for text in _texts(persona, section, language):
                        if not part.recorded.has(text, language):
                            return part, text, language
        return None


def _texts(persona: Persona, section: str, language: str) -> Iterator[str]:
    """The lines of a section that are the same each time: without a {when}."""
    if section == "welcome":
        yield from persona.lines.get(language, {}).get("greeting", ())
    for key in locales.lines(language):
        if key.startswith(f"{section}."):
            yield from (text for text in wordings(persona, key, language) if "{" not in text)
