"""One model of one project: who waits for it, and its ledger in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from relay.quota.base import Admission, Now, Priority, SupersededError
from relay.quota.clock import Reading
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import allowance
from relay.quota.pacing import Pacing
from relay.quota.queue import FairQueue, Ticket
from relay.quota.settings import QuotaSettings
from relay.quota.snapshot import ModelUse, model_use
from relay.quota.state import State
from relay.quota.store import Store

T = TypeVar("T")


class Lane:
    """Belongs to one event loop. What the store raises (StoreError) goes through."""

    def __init__(self, model: str, store: Store, settings: QuotaSettings, pacing: Pacing) -> None:
        self.model = model
        self._store = store
        self._allowance = allowance(model, settings.limits)
        self._pacing = pacing
        self._queue = FairQueue(settings.slots_for_silent)
        self._wake: dict[Ticket, asyncio.Event] = {}

    def join(self, doll: str, priority: Priority, tokens: int) -> Ticket:
        """Take a place in the queue; an older one of the same doll loses its own."""
        ticket, older = self._queue.join(doll, priority, tokens, _now())
        self._wake[ticket] = asyncio.Event()
        if older is not None and older in self._wake:
            self._wake[older].set()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up what is left of a place."""
        self._queue.leave(ticket)
        self._wake.pop(ticket, None)

    @contextlib.contextmanager
    def ready(self, ticket: Ticket) -> Iterator[None]:
        """From here on the request would be sent; until then the others go by."""
        ticket.ready = True
        try:
            yield
        finally:
            ticket.ready = False
            self._wake_head()

    async def is_head(self, ticket: Ticket) -> None:
        """Wait until nobody is before this one. Raises SupersededError."""
        while self._queue.head is not ticket:
            await self.changed(ticket, None)
        if ticket.superseded:
            raise SupersededError

    async def changed(self, ticket: Ticket, seconds: float | None) -> None:
        """Wait until something happened that concerns this one. Raises SupersededError."""
        if ticket.superseded or ticket not in self._wake:
            raise SupersededError
        wake = self._wake[ticket]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await wake.wait()
        wake.clear()  # not earlier: what happened while the store was asked counts too
        if ticket.superseded:
            raise SupersededError

    async def admission(self, ticket: Ticket) -> Admission:
        """When a request may be sent, those that go first included."""

        def look(ledger: Ledger) -> Admission:
            return ledger.admission(ask, before)

        now = _now()
        ask, before = self._queue.ask(ticket, now), self._queue.before(ticket, now)
        return await self.look(look)

    async def grant(self, ticket: Ticket) -> Admission:
        """Write the request of the one at the head down, if the ledger lets it."""
        ask = self._queue.ask(ticket, _now())
        admission = await self._store.change(self.model, self._granting(ask))
        if isinstance(admission, Now):
            self._queue.served(ticket, _now())
        return admission

    async def look(self, look: Callable[[Ledger], T]) -> T:
        """Read the ledger as it is now."""

        def change(state: State, reading: Reading) -> tuple[T, bool]:
            ledger = self._ledger(state, reading)
            return look(ledger), ledger.has_new_clock

        return await self._store.change(self.model, change)

    async def use(self) -> ModelUse:
        """How the model stands, for a dashboard."""
        return await self.look(lambda ledger: model_use(self.model, ledger, len(self._queue)))

    async def note(self, note: Callable[[Ledger], object]) -> None:
        """Write down what the provider did. `note` returns False where nothing changed."""

        def change(state: State, reading: Reading) -> tuple[None, bool]:
            ledger = self._ledger(state, reading)
            return None, note(ledger) is not False or ledger.has_new_clock

        await self._store.change(self.model, change)
        self._wake_head()

    def _granting(self, ask: Ask) -> Callable[[State, Reading], tuple[Admission, bool]]:
        def change(state: State, reading: Reading) -> tuple[Admission, bool]:
            ledger = self._ledger(state, reading)
            admission = ledger.grant(ask)
            return admission, isinstance(admission, Now) or ledger.has_new_clock

        return change

    def _ledger(self, state: State, reading: Reading) -> Ledger:
        return Ledger(self._allowance, self._pacing, state, reading)

    def _wake_head(self) -> None:
        head = self._queue.head
        if head is not None and head in self._wake:
            self._wake[head].set()


def _now() -> float:
    return asyncio.get_running_loop().time()
