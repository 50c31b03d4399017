"""What happens at the other workers, for a page at this one; and what happens here, for theirs.

While a page is open at a worker, that one says so to the others every few seconds. They send it
their events (what is heard and said, turns, failures), several in one message; and it asks them
once a second for their dolls and their load. Nobody asks a worker for what it has not changed since
the last time. While no page is open anywhere nothing is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from relay.cluster.bus import BusError
from relay.cluster.cluster import Cluster
from relay.live.here import DollHere, Here
from relay.live.live import MOST_FAILURES, MOST_TURNS, Failure, Live, TurnSeen
from relay.live.load import Load

_WATCH, _EVENTS, _LOOK, _PAST = "live.watch", "live.events", "live.look", "live.past"

#: Who watches says so that often, and is told nothing more when it has not for so long; seconds.
_WATCH_S: Final = 5.0
_WATCHED_S: Final = 12.0

#: For the others to answer a look.
_ANSWER_S: Final = 1.0

#: One that is late is shown as it was for so long, if it still listens.
_LATE_S: Final = 15.0

#: Events that wait to be sent, and that go in one message. Of more, the oldest are lost.
_MAX_WAITING: Final = 512
_AT_ONCE: Final = 64

#: Workers that may watch, and that are shown.
_MAX_WORKERS: Final = 256

_Name = Annotated[str, Meta(max_length=128)]
_Kind = Literal["heard", "said", "stop", "face", "turn", "failure"]


class Watch(msgspec.Struct, frozen=True):
    """A page is open at the sender, or none is any more."""

    on: bool


class Event(msgspec.Struct, array_like=True, frozen=True):
    """As `Live.tell` has it."""

    kind: _Kind
    data: dict[_Name, str | int | float | dict[_Name, int]]


class Events(msgspec.Struct, array_like=True, frozen=True):
    """In the order in which they happened."""

    events: Annotated[list[Event], Meta(max_length=_AT_ONCE)]


class Look(msgspec.Struct, frozen=True):
    """How are you? The asker knows the dolls of these workers as of these versions."""

    known: Annotated[dict[_Name, int], Meta(max_length=_MAX_WORKERS)] = {}


class Seen(msgspec.Struct, frozen=True):
    """A worker's dolls, or None if the asker knows them; and what it takes of its machine."""

    place: _Name
    version: int
    load: Load
    dolls: list[DollHere] | None = None


class PastQuestion(msgspec.Struct, frozen=True):
    """What has happened lately?"""


class Past(msgspec.Struct, frozen=True):
    """The last turns and failures of a worker, oldest first."""

    turns: Annotated[list[TurnSeen], Meta(max_length=MOST_TURNS)]
    failures: Annotated[list[Failure], Meta(max_length=MOST_FAILURES)]


@dataclass(frozen=True, slots=True)
class Worker:
    """Another one, as it was when it was last seen."""

    place: str
    at: float  #: the loop's time
    version: int
    load: Load
    dolls: tuple[DollHere, ...]


class Elsewhere:
    """One for a worker. `run` it in one task."""

    def __init__(self, cluster: Cluster, live: Live, here: Here) -> None:
        self.place = cluster.place
        self._bus = cluster.bus
        self._live = live
        self._here = here
        self._waiting: deque[Event] = deque(maxlen=_MAX_WAITING)
        self._watchers: dict[str, float] = {}  # until when, by the loop's time
        self._wake = asyncio.Event()
        self._workers: dict[str, Worker] = {}
        self._version = 0
        self._last = b""
        bus = self._bus
        bus.hear(_WATCH, Watch, self._watched)
        bus.hear(_EVENTS, Events, self._happened)
        bus.serve(_LOOK, Look, self._seen)
        bus.serve(_PAST, PastQuestion, self._past)
        live.elsewhere = self._tell

    async def run(self) -> None:
        """Say whether somebody watches here, and tell those who watch elsewhere, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._say_so())
            group.create_task(self._send())

    async def look(self) -> list[Worker]:
        """The other workers, and the dolls that they have."""
        known = {name: worker.version for name, worker in self._workers.items()}
        try:
            answers = await self._bus.ask_all(_LOOK, Look(known), Seen, _ANSWER_S)
        except BusError:
            answers = {}
        now = asyncio.get_running_loop().time()
        found: dict[str, Worker] = {}
        for name, seen in answers.items():
            before = self._workers.get(name)
            if seen.dolls is not None:
                dolls = tuple(seen.dolls)
            elif before is not None and before.version == seen.version:
                dolls = before.dolls
            else:
                continue  # its answer to an older look of another page's
            found[name] = Worker(seen.place, now, seen.version, seen.load, dolls)
        for name, worker in self._workers.items():
            if name not in found and now - worker.at < _LATE_S and await self._lives(name):
                found[name] = worker
        self._workers = dict(sorted(found.items(), key=lambda item: item[1].place)[:_MAX_WORKERS])
        return list(self._workers.values())

    async def past(self) -> tuple[list[TurnSeen], list[Failure]]:
        """The last turns and failures of all workers, this one's too, oldest first."""
        turns, failures = list(self._live.turns), list(self._live.failures)
        with contextlib.suppress(BusError):
            for past in (await self._bus.ask_all(_PAST, PastQuestion(), Past, _ANSWER_S)).values():
                turns += past.turns
                failures += past.failures
        turns.sort(key=lambda turn: turn.at)
        failures.sort(key=lambda failure: failure.at)
        return turns[-MOST_TURNS:], failures[-MOST_FAILURES:]

    async def _lives(self, worker: str) -> bool:
        with contextlib.suppress(BusError):
            return await self._bus.is_there(worker)
        return False  # and nobody is, as far as this one can know

    def _tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Something has happened here."""
        if self._watchers:
            self._waiting.append(Event(kind, dict(data)))  # type: ignore[arg-type]
            self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                count = min(_AT_ONCE, len(self._waiting))
                events = Events([self._waiting.popleft() for _ in range(count)])
                now = asyncio.get_running_loop().time()
                for worker, until in list(self._watchers.items()):
                    is_there = until > now
                    with contextlib.suppress(BusError):
                        is_there = is_there and await self._bus.tell(worker, _EVENTS, events)
                    if not is_there:
                        self._watchers.pop(worker, None)

    async def _say_so(self) -> None:
        while True:
            await self._live.watched()
            while len(self._live):
                with contextlib.suppress(BusError):
                    await self._bus.publish(_WATCH, Watch(True))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_WATCH_S):
                        await self._live.unwatched()
            with contextlib.suppress(BusError):
                await self._bus.publish(_WATCH, Watch(False))
            self._workers.clear()

    def _watched(self, worker: str, watch: Watch) -> None:
        self._watchers.pop(worker, None)
        if watch.on and len(self._watchers) < _MAX_WORKERS:
            self._watchers[worker] = asyncio.get_running_loop().time() + _WATCHED_S

    def _happened(self, _worker: str, happened: Events) -> None:
        for event in happened.events:
            self._live.show(event.kind, event.data)

    async def _seen(self, _worker: str, look: Look) -> Seen:
        dolls = list(self._here.look().values())
        encoded = msgspec.msgpack.encode(dolls)
        if encoded != self._last:
            self._last = encoded
            self._version += 1
        is_known = look.known.get(self._bus.name) == self._version
        seen = Seen(self.place.name, self._version, self._here.load())
        return seen if is_known else msgspec.structs.replace(seen, dolls=dolls)

    async def _past(self, _worker: str, _: PastQuestion) -> Past:
        return Past(list(self._live.turns), list(self._live.failures))
