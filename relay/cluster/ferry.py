"""The rest of an answer on its way from the worker that makes it to the one that has the doll.

`Ferry` is the end at the maker, and a session's `Line`; `Landing` the one at the doll, and a
session's `Rest`. The maker is never more than some messages ahead of the doll's ear, so that it
knows how much was heard when the doll is interrupted; and it waits while the doll's link is lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from relay.cluster.bus import Bus, BusError
from relay.cluster.handover import CUT, END, GOT, MORE, Got, More, Over, packed, unpacked
from relay.turn.moved import RestLostError
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import DeviceMessage, Hello

#: Messages on their way: half a second of frames.
WINDOW: Final = 16

#: With no news for so long the other worker may have gone.
QUIET_S: Final = 1.0

_GONE = Disconnected(CloseCode.REPLACED, "its new worker has gone")
_CUT = Disconnected(CloseCode.REPLACED, "the doll wants no more of it")


class Ferry:
    """Carries messages to the worker that the doll is at now."""

    def __init__(self, bus: Bus, worker: str, number: int, hello: Hello) -> None:
        self.worker = worker
        self.hello = hello  #: of the doll's old connection
        self.over = asyncio.Event()  #: nobody wants more
        self._bus = bus
        self._number = number
        self._closed = asyncio.Event()
        self._sent = self._got = 0
        self._news = asyncio.Event()

    async def deliver(self, data: str | bytes) -> None:
        """Send one message, when there is room for it. Raises Disconnected."""
        while self._sent - self._got >= WINDOW and not self.over.is_set():
            await self._wait()
        if self.over.is_set():
            raise Disconnected(_CUT.code, _CUT.reason)
        self._sent += 1
        more = More(self._number, self._sent, packed(data))
        try:
            there = await self._bus.tell(self.worker, MORE, more)
        except BusError:
            there = False
        if not there:
            self.end()
            raise Disconnected(_GONE.code, _GONE.reason)

    async def receive(self) -> DeviceMessage:
        """See Line.receive."""
        await self._closed.wait()
        raise Disconnected(_CUT.code, _CUT.reason)

    async def close(self, code: CloseCode, reason: str) -> None:  # noqa: ARG002
        """See Line.close."""
        self.end()
        self._closed.set()

    async def finish(self) -> None:
        """There are no more, and what was heard is known."""
        self.end()
        self._bus.start(self._bus.tell(self.worker, END, Over(self._number)))

    def got(self, place: int) -> None:
        """The doll's worker has passed on all up to this place."""
        if self._got < place <= self._sent:
            self._got = place
            self._news.set()

    def end(self) -> None:
        """Nobody wants more."""
        self.over.set()
        self._news.set()

    async def _wait(self) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(QUIET_S):
                await self._news.wait()
        except TimeoutError:
            if not await is_there(self._bus, self.worker):
                self.end()


class Landing:
    """Takes messages from the worker that still makes the answer."""

    def __init__(self, bus: Bus, worker: str, number: int) -> None:
        self.worker = worker
        self._bus = bus
        self._number = number
        self._pieces: deque[str | bytes] = deque()
        self._came = self._passed = 0
        self._lost = ""
        self._is_over = False  # all has come
        self._left = False
        self._news = asyncio.Event()

    def __aiter__(self) -> Landing:
        return self

    async def __anext__(self) -> str | bytes:
        while not self._pieces:
            if self._lost:
                raise RestLostError(self._lost)
            if self._is_over:
                raise StopAsyncIteration
            await self._wait()
        return self._pieces.popleft()

    def take(self, more: More) -> None:
        """One has come."""
        if more.place <= self._came or self._left:
            return  # again
        if more.place != self._came + 1 or len(self._pieces) > 2 * WINDOW:
            self._lost = "messages are missing"
        else:
            self._came = more.place
            self._pieces.append(unpacked(more.piece))
        self._news.set()

    def finish(self) -> None:
        """There are no more."""
        self._is_over = True
        self._news.set()

    def passed_on(self) -> None:
        """See Rest.passed_on."""
        self._passed += 1
        if self._passed % (WINDOW // 4) == 0:
            self._bus.start(self._bus.tell(self.worker, GOT, Got(self._number, self._passed)))

    def leave(self) -> None:
        """See Rest.leave."""
        if not self._left and not self._is_over:
            self._bus.start(self._bus.tell(self.worker, CUT, Over(self._number)))
        self._left = True
        self._pieces.clear()

    async def _wait(self) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(QUIET_S):
                await self._news.wait()
        except TimeoutError:
            if not self._is_over and not await is_there(self._bus, self.worker):
                self._lost = "its worker has gone"


async def is_there(bus: Bus, worker: str) -> bool:
    """Whether a worker can be told something."""
    try:
        return await bus.is_there(worker)
    except BusError:
        return False
