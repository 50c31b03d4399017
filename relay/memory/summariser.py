"""Tells in short what does not fit the prompt any more: by a model where one has quota to spare,
and by the owner's own sentences where none has. Nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.activity import Activity
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.memory.conversation import MAX_TURNS, newest, tokens
from relay.memory.extract import extract
from relay.memory.records import KeptExchange, Summary, one_line
from relay.memory.settings import MemorySettings
from relay.memory.store import MemoryStore
from relay.memory.wording import words
from relay.persona import Persona

#: Nobody has talked for so long before a model is asked.
QUIET_S = 5.0

#: What a model is given to sum up at once. Of more, it gets the newest.
_MAX_TURNS = 200
_MAX_TOKENS = 3_000

_MARKS = str.maketrans({"<": "(", ">": ")"})

_log = structlog.get_logger(__name__)


class Summariser:
    """One task for the relay; the dolls take turns."""

    def __init__(
        self,
        store: MemoryStore,
        settings: MemorySettings,
        brain: Chain | None,
        activity: Activity | None,
        done: Callable[[str], Awaitable[None]],
        zone: tzinfo | None = None,
    ) -> None:
        """`done` is told the doll whose summary is new."""
        self._store = store
        self._settings = settings
        self._brain = brain
        self._activity = activity or Activity()
        self._done = done
        self._zone = zone
        self._wanted: dict[str, Persona] = {}  # in the order in which they were
        self._wake = asyncio.Event()

    def want(self, device_id: str, persona: Persona) -> None:
        """Much has left this doll's prompt."""
        self._wanted.setdefault(device_id, persona)
        self._wake.set()

    async def run(self) -> None:
        """Sum up for ever, while nobody talks."""
        while True:
            if not self._wanted:
                self._wake.clear()
                await self._wake.wait()
            device_id, persona = next(iter(self._wanted.items()))
            try:
                await self._activity.spare(partial(self.sum_up, device_id, persona), QUIET_S)
            except (SQLAlchemyError, OSError) as error:
                _log.error("no summary is written", device=device_id, why=type(error).__name__)
            del self._wanted[device_id]

    async def sum_up(self, device_id: str, persona: Persona) -> None:
        """Write a new summary of one doll's talk. Raises SQLAlchemyError."""
        revision = await self._store.revision(device_id)
        kept = await self._store.load(device_id, 2 * MAX_TURNS)
        count = newest(reversed(kept.turns), self._settings)
        if revision is None or count == 0:
            return
        first = kept.turns[-count].id
        before = kept.summary
        turns = await self._store.between(
            device_id, before.up_to if before else 0, first, _MAX_TURNS
        )
        turns = _that_fit(turns)
        if not turns:
            return
        told = before.text if before else ""
        chars = self._settings.summary_chars
        text = one_line(await self._ask(device_id, persona, told, turns), chars)
        by_model = bool(text)
        if not text:
            text = extract(told, turns, persona.language, chars, self._zone)
        summary = Summary(int(time.time()), turns[-1].id, text)
        if await self._store.summarise(device_id, summary, revision):
            _log.info("summary written", device=device_id, turns=len(turns), by_model=by_model)
            await self._done(device_id)

    async def _ask(
        self, device_id: str, persona: Persona, before: str, turns: list[KeptExchange]
    ) -> str:
        if self._brain is None:
            return ""
        wording = words(persona.language)
        names = {"name": persona.name, "owner": persona.owner or "?"}
        lines = [wording.before.format(text=before)] if before else []
        for turn in turns:
            lines.append(wording.heard.format(text=turn.heard))
            if turn.said:
                lines.append(wording.said.format(name=persona.name, text=turn.said))
        talk = "\n".join(line.translate(_MARKS) for line in lines)
        ask = wording.ask.strip().format(**names, chars=self._settings.summary_chars)
        request = Request(
            persona=persona,
            history=(),
            text=f"<talk>\n{talk}\n</talk>",
            language=persona.language,
            now=datetime.now(self._zone or UTC),
            instructions=ask,
        )
        return await self._brain.ponder(request, doll=device_id)


def _that_fit(turns: list[KeptExchange]) -> list[KeptExchange]:
    taken = 0.0
    for at in range(len(turns) - 1, -1, -1):
        taken += tokens(turns[at])
        if taken > _MAX_TOKENS:
            return turns[at + 1 :]
    return turns
