"""Which model of a chain may be asked, and when: the quota's answers, weighed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from relay.llm.meter import MeteredModel, Usage
from relay.quota.base import (
    Admission,
    Later,
    NotToday,
    Now,
    OverError,
    Place,
    Priority,
    Quota,
)

#: What is free at once may take so long to be granted.
_AT_ONCE_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One model of a chain, and the allowance that its requests are taken from."""

    model: MeteredModel
    quota: Quota
    provider: str = ""  #: a key that is refused is refused by all models of a provider


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a turn waits for its request, in seconds."""

    silent_s: float = 2.0  #: for the first model that is free by then; nobody notices
    longest_s: float = 15.0  #: for whichever is free first, with a filler, if none is free by then


class NotAdmittedError(Exception):
    """The model may not be asked in time."""

    def __init__(self, admission: Later | NotToday) -> None:
        super().__init__("no request is allowed in time")
        self.admission = admission


@dataclass(slots=True)
class Seat:
    """A place in a model's queue that was found good enough; closed by whoever asked for it."""

    link: Link
    place: Place
    wait_s: float
    stack: AsyncExitStack


class Search:
    """Asks the quotas on behalf of one turn, and remembers what they said."""

    def __init__(self, doll: str, patience: Patience, priority: Priority = Priority.TURN) -> None:
        self._doll = doll
        self._patience = patience
        self._priority = priority
        self.refusals: list[Later | NotToday] = []  #: of the models that were not free in time

    def back_at(self, now: float) -> float | None:
        """When the first of the models is free again, in Unix time like `now`; None: not known."""
        times = [
            now + told.seconds if isinstance(told, Later) else told.until for told in self.refusals
        ]
        return min((time for time in times if time is not None), default=None)

    async def seat(self, links: Sequence[tuple[Link, int]]) -> Seat | None:
        """The first of the links that is free within `silent_s`; else the one that is free first,
        within `longest_s`; else None. `links` come with about how many tokens each is asked for.

        A place that is not taken is given back at once.
        """
        best: Seat | None = None
        try:
            for link, tokens in links:
                async with AsyncExitStack() as stack:
                    place = await stack.enter_async_context(self._queue(link, tokens))
                    admission = place.admission
                    wait_s = _wait_s(admission)
                    if wait_s > self._patience.longest_s and not isinstance(admission, Now):
                        self.refusals.append(admission)
                        continue
                    if best is not None and wait_s >= best.wait_s:
                        continue
                    worse, best = best, Seat(link, place, wait_s, stack.pop_all())
                if worse is not None:
                    await worse.stack.aclose()
                if best.wait_s <= self._patience.silent_s:
                    break
        except BaseException:
            if best is not None:
                await best.stack.aclose()
            raise
        return best

    async def look(self, link: Link) -> None:
        """Note when a model that has just refused a request is free again."""
        async with self._queue(link, 0) as place:
            if not isinstance(place.admission, Now):
                self.refusals.append(place.admission)

    def permit(self, seat: Seat) -> Permit:
        """The meter of the answer that is asked for from `seat`."""
        return Permit(seat, lambda tokens: self._queue(seat.link, tokens), self._patience.longest_s)

    def _queue(self, link: Link, tokens: int) -> AbstractAsyncContextManager[Place]:
        return link.quota.place(
            link.model.name, doll=self._doll, tokens=tokens, priority=self._priority
        )


class Permit:
    """A `relay.llm.meter.Meter`: the first request takes the seat, each further one a new place."""

    def __init__(
        self,
        seat: Seat,
        queue: Callable[[int], AbstractAsyncContextManager[Place]],
        longest_s: float,
    ) -> None:
        """`queue` takes a place for a request of so many tokens."""
        self._seat: Seat | None = seat
        self._stack = seat.stack
        self._queue = queue
        self._longest_s = longest_s
        self.granted_at: float | None = None  #: of the newest request, in the loop's seconds
        self.usage: Usage | None = None

    async def permit(self, tokens: int) -> None:
        """See Meter.permit. Raises NotAdmittedError, and SupersededError."""
        seat, self._seat = self._seat, None
        if seat is not None:
            await self._granted(seat.place)
            return
        await self.arrived()  # the one before was answered
        await self._granted(await self._stack.enter_async_context(self._queue(tokens)))

    async def arrived(self) -> None:
        """The newest request has reached its model. May be called again; closing the seat says it
        as well."""
        await self._stack.aclose()

    def used(self, usage: Usage) -> None:
        """See Meter.used."""
        self.usage = usage

    async def _granted(self, place: Place) -> None:
        admission = place.admission
        if not isinstance(admission, Now) and _wait_s(admission) > self._longest_s:
            raise NotAdmittedError(admission)
        try:
            async with asyncio.timeout(self._longest_s):
                await place.granted()
        except TimeoutError:
            raise NotAdmittedError(Later(self._longest_s)) from None
        except OverError as over:
            raise NotAdmittedError(NotToday(over.until)) from None
        self.granted_at = asyncio.get_running_loop().time()


class Leftover:
    """A `relay.llm.meter.Meter` for one request with a place that is free at once."""

    def __init__(self, place: Place) -> None:
        self._place: Place | None = place

    async def permit(self, tokens: int) -> None:  # noqa: ARG002 (the place was taken with them)
        """See Meter.permit. Raises NotAdmittedError where it is not free any more."""
        place, self._place = self._place, None
        if place is None:
            raise NotAdmittedError(NotToday(None))  # a second request is not worth it
        try:
            async with asyncio.timeout(_AT_ONCE_S):
                await place.granted()
        except TimeoutError:
            raise NotAdmittedError(Later(_AT_ONCE_S)) from None
        except OverError as over:
            raise NotAdmittedError(NotToday(over.until)) from None

    def used(self, usage: Usage) -> None:
        """See Meter.used."""


def _wait_s(admission: Admission) -> float:
    match admission:
        case Now():
            return 0.0
        case Later(seconds):
            return seconds
        case _:
            return math.inf
