"""The quota of one project: the queue, the ledger and the store behind the `Quota` contract.

Nothing runs in the background. Whoever is at the head of a model's queue asks the store, sleeps as
long as the ledger says, and asks again, since another process may have been faster; the others
sleep until they are the head.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog

from relay.llm.gemini_errors import Refusal
from relay.quota.base import (
    Admission,
    Later,
    NotToday,
    Now,
    OverError,
    Place,
    Priority,
)
from relay.quota.lane import Lane
from relay.quota.ledger import Ledger
from relay.quota.limits import family
from relay.quota.pacing import Pacing
from relay.quota.queue import Ticket
from relay.quota.settings import QuotaSettings
from relay.quota.snapshot import ModelUse
from relay.quota.store import Store, StoreError

REASK_S = 5.0  #: what others do to the ledger is noticed within so long
LEAST_S = 0.001  #: a rest of less, from rounding, could last no time at all and be told for ever
STORE_RETRY_S = 30.0  #: the wait that is told while the store does not work

_log = structlog.get_logger(__name__)


class Scheduler:
    """A Quota on a store. All methods belong to one event loop."""

    def __init__(self, store: Store, settings: QuotaSettings, pacing: Pacing) -> None:
        self._store = store
        self._settings = settings
        self._pacing = pacing
        self._lanes: dict[str, Lane] = {}
        self._store_works = True

    def place(
        self, model: str, *, doll: str, tokens: int, priority: Priority = Priority.TURN
    ) -> AbstractAsyncContextManager[Place]:
        """See Quota.place."""
        return self._place(self._lane(model), doll, tokens, priority)

    async def refused(self, model: str, refusal: Refusal) -> None:
        """See Quota.refused."""
        await self._note(model, lambda ledger: ledger.refused(refusal))
        _log.warning(
            "quota refused",
            model=model,
            limit=refusal.limit,
            value=refusal.value,
            retry_after_s=refusal.retry_after_s,
        )

    async def failed(self, model: str) -> None:
        """See Quota.failed."""
        await self._note(model, lambda ledger: ledger.failed())

    async def answered(self, model: str) -> None:
        """See Quota.answered."""
        await self._note(model, lambda ledger: ledger.answered())

    async def retired(self, model: str) -> None:
        """See Quota.retired."""
        await self._note(model, lambda ledger: ledger.retired())

    async def snapshot(self) -> list[ModelUse]:
        """How each model stands that was ever asked, for a dashboard. Raises StoreError."""
        names = sorted({*await self._store.models(), *self._lanes})
        return [await self._lane(name).use() for name in names]

    async def close(self) -> None:
        """See Quota.close."""
        await self._store.close()

    @asynccontextmanager
    async def _place(
        self, lane: Lane, doll: str, tokens: int, priority: Priority
    ) -> AsyncIterator[Place]:
        ticket = lane.join(doll, priority, max(0, tokens))
        try:
            yield _Place(self, lane, ticket, await self.admission(lane, ticket))
        finally:
            lane.leave(ticket)

    async def admission(self, lane: Lane, ticket: Ticket) -> Admission:
        """What is known when a place is taken."""
        try:
            admission = await lane.admission(ticket)
        except StoreError as error:
            self._store_failed(error)
            return Later(STORE_RETRY_S)
        self._store_works = True
        return admission

    async def grant(self, lane: Lane, ticket: Ticket) -> Admission:
        """Ask the store once for the request at the head of a queue."""
        try:
            return await lane.grant(ticket)
        except StoreError as error:
            # What cannot be written down is not sent: it would not be known after a restart.
            self._store_failed(error)
            raise OverError(time.time() + STORE_RETRY_S) from None

    async def _note(self, model: str, note: Callable[[Ledger], object]) -> None:
        try:
            await self._lane(model).note(note)
        except StoreError as error:
            self._store_failed(error)

    def _store_failed(self, error: StoreError) -> None:
        if self._store_works:
            _log.error("quota store failed", reason=str(error))
        self._store_works = False

    def _lane(self, model: str) -> Lane:
        name = family(model)
        if name not in self._lanes:
            self._lanes[name] = Lane(name, self._store, self._settings, self._pacing)
        return self._lanes[name]


class _Place:
    """See Place."""

    def __init__(
        self, scheduler: Scheduler, lane: Lane, ticket: Ticket, admission: Admission
    ) -> None:
        self._scheduler = scheduler
        self._lane = lane
        self._ticket = ticket
        self._admission = admission
        self._used = False

    @property
    def admission(self) -> Admission:
        """See Place.admission."""
        return self._admission

    async def granted(self) -> None:
        """See Place.granted."""
        if self._used:
            raise RuntimeError("a place is for one request; take another one")
        with self._lane.ready(self._ticket):
            while not self._used:
                await self._lane.is_head(self._ticket)
                match await self._scheduler.grant(self._lane, self._ticket):
                    case Now():
                        self._used = True
                    case NotToday(until):
                        raise OverError(until)
                    case Later(seconds):
                        await self._lane.changed(self._ticket, min(max(seconds, LEAST_S), REASK_S))
