"""The memory of all dolls of a relay: opened for a session, written behind it, cleared of the old.

    conversation = await memory.open(device_id, persona)   # when a doll comes
    conversation.add(heard, said)                          # at the end of each turn; on disk soon
    await memory.refresh(device_id)                        # its owner has changed something

The conversation of a doll is the same object for all that use it in this process, and is let go
with the last of them. Another process reads it from the database when the doll comes there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import tzinfo
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.activity import Activity
from relay.llm.chain import Chain
from relay.memory.conversation import MAX_TURNS, Conversation, newest, tokens
from relay.memory.records import Draft, Exchange, FactChange
from relay.memory.settings import MemorySettings
from relay.memory.store import MemoryStore, News
from relay.memory.summariser import Summariser
from relay.memory.writer import Writer
from relay.persona import Persona
from relay.store.database import Database

#: How long a doll that comes waits for what was said a moment ago, and the relay's end for all.
_FLUSH_S = 2.0

_EXPIRE_S = 3_600.0

Once: TypeAlias = Callable[[Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]]

_log = structlog.get_logger(__name__)


class Memory:
    """One for the relay. Run it in one task, and `close` it in the end."""

    def __init__(
        self,
        database: Database,
        settings: MemorySettings,
        *,
        brain: Chain | None = None,
        activity: Activity | None = None,
        zone: tzinfo | None = None,
        once: Once | None = None,
    ) -> None:
        """`brain` makes the summaries, while `activity` says that nobody talks.
        `once` runs what one of several workers does for all, with the same database."""
        self.store = MemoryStore(database)
        self._database = database
        self._settings = settings
        self._zone = zone
        self._once = once
        self._writer = Writer(self.store)
        self._summariser = Summariser(self.store, settings, brain, activity, self.refresh, zone)
        self._open: WeakValueDictionary[str, Conversation] = WeakValueDictionary()
        self._filling: dict[str, asyncio.Task[None]] = {}

    async def open(
        self, device_id: str, persona: Persona, forgotten: int | None = None
    ) -> Conversation:
        """What the doll remembers. Where the database does not answer, that begins with nothing.

        `forgotten` is that of its record: a conversation that began before a deletion is over.
        """
        conversation = self._open.get(device_id)
        if conversation is None or conversation.forgotten != forgotten:
            if conversation is not None:
                conversation.end()
            conversation = self._new(device_id, persona, forgotten)
            task = asyncio.create_task(self._fill(device_id, conversation))
            self._filling[device_id] = task
            task.add_done_callback(partial(self._filled, device_id))
        if (filling := self._filling.get(device_id)) is not None:
            await asyncio.shield(filling)
        return conversation

    async def refresh(self, device_id: str) -> None:
        """Read what was changed of a doll that is here. Raises SQLAlchemyError."""
        conversation = self._open.get(device_id)
        if conversation is not None:
            await self._read(device_id, conversation)

    async def run(self) -> None:
        """Write, summarise and clear away, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._writer.run())
            group.create_task(self._summariser.run())
            group.create_task(self._once(self._expire) if self._once else self._expire())

    async def flush(self) -> bool:
        """Wait until all that was said is on disk; False if the database does not answer."""
        return await self._writer.flushed(_FLUSH_S)

    def _new(self, device_id: str, persona: Persona, forgotten: int | None) -> Conversation:
        conversation = Conversation(
            self._settings,
            language=persona.language,
            zone=self._zone,
            forgotten=forgotten,
            keep=partial(self._keep, device_id, persona, forgotten),
        )
        self._open[device_id] = conversation
        return conversation

    def _keep(
        self,
        device_id: str,
        persona: Persona,
        forgotten: int | None,
        what: Exchange | Draft | FactChange,
    ) -> None:
        self._writer.put(News(device_id, what, forgotten))
        conversation = self._open.get(device_id)
        if conversation is not None and self._is_due(conversation):
            conversation.left_tokens = 0.0
            self._summariser.want(device_id, persona)

    def _is_due(self, conversation: Conversation) -> bool:
        return self._settings.summary and (
            conversation.left_tokens >= self._settings.summary_every_tokens
        )

    async def _fill(self, device_id: str, conversation: Conversation) -> None:
        try:
            await self._read(device_id, conversation)
        except (SQLAlchemyError, OSError) as error:
            _log.error("memory is not read", device=device_id, why=type(error).__name__)

    def _filled(self, device_id: str, task: asyncio.Task[None]) -> None:
        if self._filling.get(device_id) is task:
            del self._filling[device_id]

    async def _read(self, device_id: str, conversation: Conversation) -> None:
        """Read until nothing new has come in between, so that nothing of it is missed."""
        while True:
            version = conversation.version
            await self.flush()
            kept = await self.store.load(device_id, 2 * MAX_TURNS)
            if conversation.version == version:
                break
        count = newest(reversed(kept.turns), self._settings)
        up_to = kept.summary.up_to if kept.summary else 0
        before = kept.turns[: len(kept.turns) - count]
        conversation.load(
            kept.turns[len(kept.turns) - count :],
            kept.facts,
            kept.summary.text if kept.summary else "",
            sum(tokens(turn) for turn in before if turn.id > up_to),
        )

    async def _expire(self) -> None:
        if not self._settings.days:
            return
        while True:
            try:
                if gone := await self.store.expire(self._settings.days):
                    await self._database.empty_log()
                    _log.info("memory has expired", turns=gone)
            except (SQLAlchemyError, OSError) as error:
                _log.error("memory does not expire", why=type(error).__name__)
            await asyncio.sleep(_EXPIRE_S)
