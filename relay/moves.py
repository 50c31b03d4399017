"""Dolls that come here from other workers, and that go to them: of each there is one session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import structlog

from relay.cluster.bus import BusError
from relay.cluster.cluster import Cluster, MakeFerry
from relay.cluster.ferry import Ferry
from relay.cluster.handover import Take, Taken, taken
from relay.cluster.presence import Claim
from relay.memory.memory import Memory
from relay.turn.moved import Moved
from relay.turn.session import Session
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode

#: Why the link of a doll is closed that has come over another one.
REPLACED = (CloseCode.REPLACED, "the same device connected again")

#: For a session whose doll is at another worker to end.
_LET_GO_S = 1.5

#: For dolls to fetch the rest of their answers at another worker when this one ends.
_AWAY_S, _LOOK_AWAY_S = 20.0, 0.05


class Moves:
    """One for a worker. Without `cluster` there is no other one."""

    def __init__(
        self,
        cluster: Cluster | None,
        sessions: Mapping[str, Session],
        memory: Memory,
        part: Callable[[Session], None],
        start: Callable[[Coroutine[Any, Any, object]], object],
    ) -> None:
        """`sessions` are those of the dolls that are here. `part` takes one out of them and tells
        `left`; `start` lets work go on by itself."""
        self._cluster = cluster
        self._sessions = sessions
        self._memory = memory
        self._part = part
        self._start = start
        self._claims: dict[str, Claim] = {}  # of these sessions, where there are other workers
        self._leaving = 0  # sessions whose answers are still made, for dolls at other workers
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        if cluster is not None:
            cluster.give = self._give
            cluster.on_end = self._ended
            cluster.presence.on_lost = self._lost

    @asynccontextmanager
    async def claimed(self, connection: Connection) -> AsyncIterator[Moved | None]:
        """From now on the doll is at this worker and at no other one, as long as it has a session;
        gives the one that has moved here with it.

        One at a time: sockets of the same doll, and other workers that ask for it.
        """
        device_id = connection.device_id
        async with self._door(device_id):
            if self._cluster is None:
                yield None
                return
            resume = connection.hello.resume if connection.resumable else None
            form = connection.output.form
            arrival = await self._cluster.arrive(device_id, resume, form)
            try:
                yield arrival.moved
            finally:
                if device_id in self._sessions:
                    self._claims[device_id] = arrival.claim
                else:
                    self._cluster.leave(arrival.claim)

    def left(self, device_id: str) -> None:
        """It has no session here any more."""
        claim = self._claims.pop(device_id, None)
        if claim is not None and self._cluster is not None:
            self._cluster.leave(claim)

    async def send_away(self) -> Collection[Session]:
        """Let the dolls go that wait for the rest of an answer: they get it at another worker, if
        there is one. Those; `fetched` waits until they have."""
        if self._cluster is None:
            return ()
        here = tuple(self._sessions.values())
        why = (CloseCode.GOING_AWAY, "come back for the rest")
        with contextlib.suppress(BusError):
            if await self._cluster.bus.others():
                gone = await asyncio.gather(*(one.delivery.let_go(*why) for one in here))
                return [one for one, is_gone in zip(here, gone, strict=True) if is_gone]
        return ()

    async def fetched(self, sent: Collection[Session]) -> None:
        """Wait until the dolls of these sessions have come to other workers and have got the rest,
        for a time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AWAY_S):
                while self._leaving or any(one in self._sessions.values() for one in sent):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_AWAY_S)

    def _door(self, device_id: str) -> asyncio.Lock:
        return self._doors.setdefault(device_id, asyncio.Lock())

    async def _give(self, wanted: Take, ferry: MakeFerry) -> Taken:
        """The doll has come to another worker: it is not ours any more."""
        async with self._door(wanted.device_id):
            session = self._sessions.get(wanted.device_id)
            if session is None:
                await self._memory.flush()
                return Taken()
            self._part(session)
            delivery = session.delivery
            if delivery.can_go_on(wanted.session_id, wanted.received, wanted.form):
                line = ferry(delivery.hello)
                structlog.get_logger().info("moves to another worker", device=wanted.device_id)
                leaving = taken(*session.move(wanted.received, line))
                self._start(self._see_off(session, line))
                return leaving
            await delivery.close(*REPLACED)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LET_GO_S):
                    await session.over.wait()
            await self._memory.flush()  # what it has heard is known there
            return Taken()

    async def _see_off(self, session: Session, ferry: Ferry) -> None:
        """Make the rest of an answer for a doll that is at another worker."""
        assert self._cluster is not None
        self._leaving += 1
        try:
            await session.see_off(ferry.over)
            await self._memory.flush()
        finally:
            self._leaving -= 1
            await ferry.finish()
            self._cluster.forget(ferry)
            await session.delivery.close(*REPLACED)

    def _ended(self, device_id: str) -> None:
        """What its last worker has remembered of the answer can be read now."""
        self._start(self._memory.refresh(device_id))

    def _lost(self, device_id: str) -> None:
        """It went to another worker while that could not be told."""
        self._claims.pop(device_id, None)
        if (session := self._sessions.get(device_id)) is not None:
            self._start(session.delivery.close(*REPLACED))
