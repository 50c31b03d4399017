"""What dolls cost the Redis server of several workers, by the relay's own presence and quota."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from relay.cluster.cluster import Cluster
from relay.cluster.server import open_redis
from relay.quota.clock import Reading
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import allowance
from relay.quota.log import Sent
from relay.quota.pacing import Pacing
from relay.quota.redis import RedisStore
from relay.quota.scheduler import Scheduler
from relay.quota.settings import LimitSettings, QuotaSettings
from tools.bench.quota_day import HOME

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Limits a minute at which a grant is measured: a free project's, and what paid ones may have.
LIMITS = (15, 1_000, 4_000)

_AT_ONCE = 50
_GRANTS = 50
_MODEL = "gemini-3.5-flash-lite"
_WAIT_S = 60.0


class _Meter:
    """Processor time and commands of the server, and processor time of this process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self) -> tuple[float, int, float]:
        """Seconds of the server, commands since its start, seconds here."""
        told: dict[str, Any] = await self._redis.info()  # all sections
        cpu = told["used_cpu_user"] + told["used_cpu_sys"]
        return cpu, told["total_commands_processed"], time.process_time()


async def measure(url: str, dolls: int) -> dict[str, float]:
    """About ten seconds for 10,000 dolls. The server has to be one that nobody else uses."""
    redis = open_redis(url, "--redis")
    try:
        meter = _Meter(redis)
        return {**await _presence(url, dolls, meter), **await _quota(url, meter)}
    finally:
        await redis.aclose()


async def _presence(url: str, dolls: int, meter: _Meter) -> dict[str, float]:
    cluster = Cluster(open_redis(url, "--redis"))
    running = asyncio.create_task(cluster.bus.run())
    try:
        async with asyncio.timeout(_WAIT_S):
            await cluster.bus.up()
            before = await meter.read()
            names = [f"bench-{number}" for number in range(dolls)]
            for at in range(0, dolls, _AT_ONCE):
                some = names[at : at + _AT_ONCE]
                await asyncio.gather(*(cluster.presence.claim(name) for name in some))
            claimed = await meter.read()
            keeping = asyncio.create_task(cluster.presence.run())  # begins with a whole round
            wanted = claimed[1] + dolls  # each doll is a command or two of the script
            while (refreshed := await meter.read())[1] < wanted:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.02)
            keeping.cancel()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await cluster.close()
    return {
        "presence_dolls": dolls,
        "claim_redis_us": _us(claimed[0] - before[0], dolls),
        "claim_relay_us": _us(claimed[2] - before[2], dolls),
        "refresh_redis_us": _us(refreshed[0] - claimed[0], dolls),
        "refresh_relay_us": _us(refreshed[2] - claimed[2], dolls),
    }


async def _quota(url: str, meter: _Meter) -> dict[str, float]:
    found: dict[str, float] = {}
    for limit in LIMITS:
        own = QuotaSettings(limits={_MODEL: _limit(limit)})
        store = await RedisStore.open(url, f"bench {limit} {time.time()}")
        try:
            await _fill(store, own, limit - _GRANTS - 1 if limit > _GRANTS else 0)
            turns = min(_GRANTS, limit - 1)
            quota = Scheduler(store, own, Pacing(HOME))
            before = await meter.read()
            for number in range(turns):
                async with quota.place(_MODEL, doll=f"doll {number}", tokens=100) as place:
                    await place.granted()
                await quota.answered(_MODEL)
            after = await meter.read()
            found |= {
                f"quota_{limit}_redis_us": _us(after[0] - before[0], turns),
                f"quota_{limit}_relay_us": _us(after[2] - before[2], turns),
                f"quota_{limit}_commands": round((after[1] - before[1]) / turns, 1),
            }
        finally:
            await store.close()
    return found


async def _fill(store: RedisStore, own: QuotaSettings, requests: int) -> None:
    """A minute in which so many requests were sent just now, each by another doll."""
    model = allowance(_MODEL, own.limits)

    def change(state: Any, reading: Reading) -> tuple[None, bool]:
        ledger = Ledger(model, Pacing(HOME), state, reading)
        ledger.grant(Ask("doll", 100))  # which brings its clock up to now
        for number in range(requests):
            state.log.add(Sent(state.time, 100, f"{number:08x}"))
        return None, True

    await store.change(_MODEL, change)


def _limit(requests: int) -> LimitSettings:
    return LimitSettings(
        requests_per_minute=requests, tokens_per_minute="unlimited", requests_per_day="unlimited"
    )


def _us(seconds: float, count: int) -> float:
    return round(seconds / count * 1e6, 1)
