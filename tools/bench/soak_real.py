"""The minutes of `doll bench soak`: a relay process, real sockets, the real voice detector."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from tools.bench.crowd import Crowd
from tools.bench.soak_server import EVENT
from tools.bench.spoken import Codec, prepare
from tools.relay_process import Event, RelayProcess, running_relay

_SERVER = ("-m", "tools.bench.soak_server")
_DOLLS = 16
_ROUND_S = 14.0

#: The relay gives up on a doll that is gone after `_RESUME_S`; after a rest nothing is left of it.
_RESUME_S, _REST_S = 1.0, 4.0

#: As `doll deploy` and the Dockerfile run it.
ALLOCATOR = {"PYTHONMALLOC": "malloc", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True, slots=True)
class Rest:
    """The relay when everybody has left."""

    rss_bytes: int
    files: int
    threads: int
    tasks: int
    streams: int  #: of providers
    turns: int  #: since it started
    failures: int  #: of providers, since it started


@dataclass(slots=True)
class Minutes:
    """One `Rest` at the end of each round."""

    rests: list[Rest] = field(default_factory=list)
    seconds: float = 0.0


async def minutes(for_s: float, round_s: float = _ROUND_S) -> Minutes:
    """Rounds in which dolls come, talk, are interrupted, and are gone in mid-sentence."""
    codec, result, told = await prepare("adpcm"), Minutes(), Told()
    names = [f"bench-{number}" for number in range(_DOLLS)]
    environment = ALLOCATOR | {
        "DOLL_TURN__RESUME_S": str(_RESUME_S),
        "DOLL_LIMITS__TURNS_PER_MIN": "600",
    }
    async with running_relay(command=_SERVER, environment=environment, on_event=told.take) as relay:
        url, tokens = await relay.url(), await relay.tokens(*names)
        start = time.monotonic()
        while not result.rests or time.monotonic() - start < for_s:
            await _round(url, codec, tokens, round_s, len(result.rests))
            await asyncio.sleep(_REST_S)
            result.rests.append(_look(relay, await told.next()))
        result.seconds = time.monotonic() - start
    return result


class Told:
    """What the relay has said of itself last."""

    def __init__(self) -> None:
        self._event: Event = {}
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        """One event of its log."""
        if event.get("event") == EVENT:
            self._event = event
            self._news.set()

    async def next(self) -> Event:
        """The next time that it says so."""
        self._news.clear()
        await self._news.wait()
        return self._event


async def _round(
    url: str, codec: Codec, tokens: Mapping[str, str], round_s: float, seed: int
) -> None:
    crowd = Crowd(codec, seed)
    try:
        await crowd.connect(url, tokens)
        crowd.talk(len(tokens), within_s=1.0)
        await asyncio.sleep(round_s / 2)
        crowd.talk(len(tokens) // 2, within_s=1.0)  # the others interrupt
        await asyncio.sleep(round_s / 4)
        crowd.talk(len(tokens), within_s=0.5)
        await asyncio.sleep(round_s / 4)
    finally:
        await crowd.close()


def _look(relay: RelayProcess, told: Event) -> Rest:
    process = psutil.Process(relay.pid)
    return Rest(
        rss_bytes=process.memory_info().rss,
        files=process.num_fds(),
        threads=process.num_threads(),
        tasks=told["tasks"],
        streams=told["streams"],
        turns=told["turns"],
        failures=told["failures"],
    )
