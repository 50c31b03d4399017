"""One model of one project: who waits for it, and its ledger in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from relay.quota.base import Admission, Now, Priority, SupersededError
from relay.quota.clock import Reading
from relay.quota.ledger import Ledger
from relay.quota.limits import allowance
from relay.quota.pacing import Pacing
from relay.quota.queue import FairQueue, Ticket
from relay.quota.settings import QuotaSettings
from relay.quota.snapshot import ModelUse, model_use
from relay.quota.state import State
from relay.quota.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """A request that was granted: what the ledger knows it by, and since when, in loop time."""

    at: float
    tag: str
    since: float


@dataclass(frozen=True, slots=True, eq=False)
class _Arrival:
    """A request that is no longer on its way, which the ledger does not know yet."""

    sent: _Sent
    after_s: float


class Lane:
    """Belongs to one event loop. What the store raises (StoreError) goes through."""

    def __init__(self, model: str, store: Store, settings: QuotaSettings, pacing: Pacing) -> None:
        self.model = model
        self._store = store
        self._allowance = allowance(model, settings.limits)
        self._pacing = pacing
        self._queue = FairQueue(settings.slots_for_silent)
        self._wake: dict[Ticket, asyncio.Event] = {}
        self._sent: dict[Ticket, _Sent] = {}
        # Written with whatever is written next: one more write to the disk before the first word
        # would be heard.
        self._arrivals: list[_Arrival] = []

    def join(self, doll: str, priority: Priority, tokens: int) -> Ticket:
        """Take a place in the queue; an older one of the same doll loses its own."""
        ticket, older = self._queue.join(doll, priority, tokens, _now())
        self._wake[ticket] = asyncio.Event()
        if older is not None and older in self._wake:
            self._wake[older].set()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up a place; if its request was sent, it is no longer on its way."""
        self._queue.leave(ticket)
        self._wake.pop(ticket, None)
        if (sent := self._sent.pop(ticket, None)) is not None:
            self._arrivals.append(_Arrival(sent, _now() - sent.since))

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

        def change(ledger: Ledger) -> tuple[tuple[Admission, float], bool]:
            admission = ledger.grant(ask)
            return (admission, ledger.state.time), isinstance(admission, Now)

        since = _now()
        ask = self._queue.ask(ticket, since)
        admission, at = await self._change(change)
        if isinstance(admission, Now):
            self._queue.served(ticket, _now())
            self._sent[ticket] = _Sent(at, ask.doll, since)
        return admission

    async def look(self, look: Callable[[Ledger], T]) -> T:
        """Read the ledger as it is now."""
        return await self._change(lambda ledger: (look(ledger), False))

    async def use(self) -> ModelUse:
        """How the model stands, for a dashboard."""
        return await self.look(lambda ledger: model_use(self.model, ledger, len(self._queue)))

    async def note(self, note: Callable[[Ledger], object]) -> None:
        """Write down what the provider did. `note` returns False where nothing changed."""
        has_arrivals = bool(self._arrivals)  # which other processes wait to know
        await self._change(lambda ledger: (None, note(ledger) is not False or has_arrivals))
        self._wake_head()

    async def _change(self, work: Callable[[Ledger], tuple[T, bool]]) -> T:
        """Let `work` look at the ledger; it tells its result, and whether it changed anything."""
        arrivals = tuple(self._arrivals)

        def change(state: State, reading: Reading) -> tuple[tuple[T, bool], bool]:
            ledger = Ledger(self._allowance, self._pacing, state, reading)
            for one in arrivals:
                ledger.arrived(one.sent.at, one.sent.tag, one.after_s)
            result, changed = work(ledger)
            write = changed or ledger.has_new_clock
            return (result, write), write

        result, written = await self._store.change(self.model, change)
        if written:
            self._arrivals = [one for one in self._arrivals if one not in arrivals]
        return result

    def _wake_head(self) -> None:
        head = self._queue.head
        if head is not None and head in self._wake:
            self._wake[head].set()


def _now() -> float:
    return asyncio.get_running_loop().time()
