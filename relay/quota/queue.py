"""Whose request goes next to one model. No I/O, no clock.

Of each doll one turn (and one piece of background work) waits at most; a newer one takes its
place. Turns go before background work. Between dolls the one goes first that was served longest
ago, which is a round robin over those that wait: whoever was served goes to the back, so nobody is
passed twice by the same doll.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from relay.quota.base import Priority
from relay.quota.ledger import Ask
from relay.quota.log import WINDOW_S

SEEN_S = 24 * 3600.0  #: a doll that asked within a day may ask again
_MAX_DOLLS = 4096


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that waits."""

    doll: str
    priority: Priority
    tokens: int
    order: int
    superseded: bool = False
    ready: bool = False  #: would send now; who only holds a place keeps nobody from going


@dataclass(slots=True)
class _Doll:
    tag: str
    seen_at: float
    served_at: float = float("-inf")


class FairQueue:
    """Those who wait for one model. Times are seconds of any clock that only grows."""

    def __init__(self, slots_for_silent: int = 0) -> None:
        self._slots_for_silent = slots_for_silent
        self._waiting: dict[tuple[str, Priority], Ticket] = {}
        self._dolls: OrderedDict[str, _Doll] = OrderedDict()
        self._joined = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def join(
        self, doll: str, priority: Priority, tokens: int, now: float
    ) -> tuple[Ticket, Ticket | None]:
        """Take a place; the second is the older one of the same doll that lost its own by it."""
        known = self._dolls.setdefault(doll, _Doll(_tag(doll), now))
        known.seen_at = now
        self._dolls.move_to_end(doll)
        if len(self._dolls) > _MAX_DOLLS:
            self._dolls.popitem(last=False)
        self._joined += 1
        ticket = Ticket(doll, priority, tokens, self._joined)
        older = self._waiting.get((doll, priority))
        if older is not None:
            older.superseded = True
        self._waiting[doll, priority] = ticket
        return ticket, older

    def leave(self, ticket: Ticket) -> None:
        """Give up a place, if it is still held."""
        if self._waiting.get((ticket.doll, ticket.priority)) is ticket:
            del self._waiting[ticket.doll, ticket.priority]

    def served(self, ticket: Ticket, now: float) -> None:
        """The request is sent: its doll goes to the back."""
        self.leave(ticket)
        if ticket.doll in self._dolls:
            self._dolls[ticket.doll].served_at = now

    @property
    def head(self) -> Ticket | None:
        """Who goes next of those that are ready."""
        ready = (ticket for ticket in self._waiting.values() if ticket.ready)
        return min(ready, key=self._rank, default=None)

    def before(self, ticket: Ticket, now: float) -> list[Ask]:
        """The requests that go before this one, in their order."""
        rank = self._rank(ticket)
        first = [other for other in self._waiting.values() if self._rank(other) < rank]
        return [self.ask(other, now) for other in sorted(first, key=self._rank)]

    def ask(self, ticket: Ticket, now: float) -> Ask:
        """What the ledger is asked for a ticket."""
        doll = self._dolls.get(ticket.doll)
        return Ask(
            doll.tag if doll else _tag(ticket.doll),
            ticket.tokens,
            background=ticket.priority is not Priority.TURN,
            spare=min(self._slots_for_silent, self._silent(now)),
        )

    def _silent(self, now: float) -> int:
        """How many dolls might speak up that were not served in the last minute."""
        return sum(
            now - doll.seen_at < SEEN_S
            and now - doll.served_at > WINDOW_S
            and (name, Priority.TURN) not in self._waiting
            for name, doll in self._dolls.items()
        )

    def _rank(self, ticket: Ticket) -> tuple[Priority, float, int]:
        doll = self._dolls.get(ticket.doll)
        return ticket.priority, doll.served_at if doll else float("-inf"), ticket.order


def _tag(doll: str) -> str:
    return hashlib.blake2s(doll.encode(), digest_size=4).hexdigest()
