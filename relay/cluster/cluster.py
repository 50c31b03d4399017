"""One relay of several workers: a doll is at one of them, and may come back to another.

cluster = Cluster(open_redis(url, "relay.redis"))
cluster.give = give                       # async def give(worker: str, wanted: Take) -> Taken
arrival = await cluster.arrive(device_id, resume, form)    # it is here now, and nowhere else
cluster.leave(arrival.claim)              # it is not here any more
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from relay.cluster.bus import Bus, BusError, GoneError
from relay.cluster.handover import Take, Taken
from relay.cluster.presence import Claim, Presence
from relay.upkeep import keep_up
from relay.wire.messages import Resume

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: For the worker that had a doll to part from it: a turn is ended there, and remembered.
TAKE_S: Final = 4.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A doll has come."""

    claim: Claim
    taken: Taken  #: what the worker that had it has given away


class Cluster:
    """What one worker knows of the others. `run` it in one task, and `close` it in the end."""

    def __init__(self, redis: Redis) -> None:
        self.bus = Bus(redis)
        self.presence = Presence(self.bus)
        self.give: Callable[[str, Take], Awaitable[Taken]] = _have_none
        """Parts from a doll that has come to another worker."""
        self.bus.serve("doll.take", Take, self._give)

    async def arrive(self, device_id: str, resume: Resume | None, form: str) -> Arrival:
        """This doll is here. The worker that had it parts from it first, and says what is left.

        `form` is `Output.form` of the doll's new connection.
        """
        claim = await self.presence.claim(device_id)
        taken = Taken()
        if claim.before:
            wanted = Take(device_id, form)
            if resume is not None:
                wanted = Take(device_id, form, resume.session_id, resume.received)
            try:
                taken = await self.bus.ask(claim.before, "doll.take", wanted, Taken, TAKE_S)
            except GoneError:
                _log.info("its worker has died", device=device_id)
            except BusError as error:
                _log.warning("its worker does not part from it", device=device_id, why=str(error))
            except BaseException:
                self.leave(claim)
                raise
        return Arrival(claim, taken)

    def leave(self, claim: Claim) -> None:
        """That doll is not here any more."""
        self.bus.start(self.presence.release(claim))

    async def run(self) -> None:
        """Keep in touch with the others, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_up(self.bus.run))
            group.create_task(keep_up(self.presence.run))

    async def close(self) -> None:
        """This worker ends. `run` is to be cancelled before."""
        await self.presence.leave()
        await self.bus.close()

    async def _give(self, worker: str, wanted: Take) -> Taken:
        self.presence.forget(wanted.device_id)
        return await self.give(worker, wanted)


async def _have_none(_worker: str, _wanted: Take) -> Taken:
    return Taken()
