"""One relay of several workers: a doll is at one of them, and may come back to another.

cluster = Cluster(open_redis(url, "relay.redis"))
cluster.give = give                       # async def give(take: Take, ferry: …) -> Taken
arrival = await cluster.arrive(device_id, resume, form)    # it is here now, and nowhere else
cluster.leave(arrival.claim)              # it is not here any more
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import structlog

from relay.cluster.bus import Bus, BusError, GoneError
from relay.cluster.ferry import Ferry, Landing
from relay.cluster.handover import CUT, END, GOT, MORE, TAKE, Got, More, Over, Take, Taken, unpacked
from relay.cluster.place import Place
from relay.cluster.presence import Claim, Presence
from relay.cluster.server import TIMEOUT_S
from relay.hearing.base import ListenMode
from relay.turn.machine import State
from relay.turn.moved import Moved
from relay.upkeep import keep_up
from relay.wire.messages import Hello, Resume

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

#: For the worker that had a doll to part from it: a turn is ended there, and remembered.
TAKE_S: Final = 4.0

MakeFerry: TypeAlias = Callable[[Hello], Ferry]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A doll has come."""

    claim: Claim
    moved: Moved | None = None  #: its session, which another worker began and which goes on here


class Cluster:
    """What one worker knows of the others. `run` it in one task, and `close` it in the end."""

    def __init__(self, redis: Redis, place: Place | None = None) -> None:
        self.place = place or Place()
        self.bus = Bus(redis)
        self.presence = Presence(self.bus)
        self.give: Callable[[Take, MakeFerry], Awaitable[Taken]] = _have_none
        """Parts from a doll that has come to another worker; a session that goes on there sends the
        rest by a ferry, made with the hello of its connection."""
        self.on_end: Callable[[str], None] = _nobody
        """Called with a doll that has come, when its last worker has made and remembered what it
        still had to do."""
        self._ferries: dict[tuple[str, int], Ferry] = {}
        self._landings: dict[tuple[str, int], tuple[str, Landing]] = {}  # with their dolls
        self.bus.serve(TAKE, Take, self._give)
        self.bus.hear(MORE, More, self._more)
        self.bus.hear(END, Over, self._end)
        self.bus.hear(GOT, Got, self._got)
        self.bus.hear(CUT, Over, self._cut)

    async def arrive(self, device_id: str, resume: Resume | None, form: str) -> Arrival:
        """This doll is here. The worker that had it parts from it first, and says what is left.

        `form` is `Output.form` of the doll's new connection.
        """
        claim = await self.presence.claim(device_id)
        if not claim.before:
            return Arrival(claim)
        wanted = Take(secrets.randbits(62), device_id, form)
        if resume is not None:
            wanted = Take(wanted.number, device_id, form, resume.session_id, resume.received)
        landing = Landing(self.bus, claim.before, wanted.number)
        place = (claim.before, wanted.number)
        self._landings[place] = (device_id, landing)
        taken = Taken()
        try:
            taken = await self.bus.ask(claim.before, TAKE, wanted, Taken, TAKE_S)
        except GoneError:
            _log.info("its worker has died", device=device_id)
        except BusError as error:
            _log.warning("its worker does not part from it", device=device_id, why=str(error))
        except BaseException:
            self.leave(claim)
            raise
        finally:
            if not taken.goes_on:
                self._landings.pop(place, None)
        if not taken.goes_on or resume is None:
            return Arrival(claim)
        moved = Moved(
            resume.session_id,
            resume.received,
            State[taken.state],
            ListenMode(taken.mode),
            [unpacked(piece) for piece in taken.kept],
            landing,
        )
        return Arrival(claim, moved)

    def leave(self, claim: Claim) -> None:
        """That doll is not here any more."""
        self.bus.start(self.presence.release(claim))

    async def ask_its_worker(
        self,
        device_id: str,
        kind: str,
        body: object,
        answers: type[T],
        timeout_s: float = TIMEOUT_S,
    ) -> T | None:
        """The answer of the worker that a doll is at; None if it is at no other one, or if that one
        does not answer."""
        worker = (await self.presence.elsewhere([device_id])).get(device_id)
        if worker is None:
            return None
        try:
            return await self.bus.ask(worker, kind, body, answers, timeout_s)
        except BusError as error:
            _log.warning("a doll's worker does not answer", device=device_id, why=str(error))
            return None

    async def run(self) -> None:
        """Keep in touch with the others, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_up(self.bus.run))
            group.create_task(keep_up(self.presence.run))

    async def close(self) -> None:
        """This worker ends. `run` is to be cancelled before."""
        await self.presence.leave()
        await self.bus.close()

    def forget(self, ferry: Ferry) -> None:
        """That one has carried all."""
        self._ferries = {place: one for place, one in self._ferries.items() if one is not ferry}

    async def _give(self, worker: str, wanted: Take) -> Taken:
        def make(hello: Hello) -> Ferry:
            ferry = Ferry(self.bus, worker, wanted.number, hello)
            self._ferries[worker, wanted.number] = ferry
            return ferry

        self.presence.forget(wanted.device_id)
        return await self.give(wanted, make)

    def _more(self, worker: str, more: More) -> None:
        if (found := self._landings.get((worker, more.number))) is not None:
            found[1].take(more)

    def _end(self, worker: str, over: Over) -> None:
        if (found := self._landings.pop((worker, over.number), None)) is not None:
            found[1].finish()
            self.on_end(found[0])

    def _got(self, worker: str, got: Got) -> None:
        if (ferry := self._ferries.get((worker, got.number))) is not None:
            ferry.got(got.place)

    def _cut(self, worker: str, over: Over) -> None:
        if (ferry := self._ferries.get((worker, over.number))) is not None:
            ferry.end()


async def _have_none(_wanted: Take, _ferry: MakeFerry) -> Taken:
    return Taken()


def _nobody(_: str) -> None:
    pass
