"""`/metrics` of several workers at one port: whichever answers tells the numbers of all."""

from __future__ import annotations

from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from relay.devices.registry import Registry
from relay.store.database import Database
from tests.cluster.processes import relay_process
from tests.cluster.test_workers import Way
from tests.relay.test_dolls import Doll
from tools.faults.redis import RedisServer


async def scraped(url: str) -> dict[tuple[str, str], float]:
    """By a connection of its own, which any worker may take: sums by name and worker."""
    async with httpx2.AsyncClient() as client:
        answer = await client.get(url)
    assert answer.status_code == 200
    found: dict[tuple[str, str], float] = {}
    series = set()
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            one = (sample.name, *sorted(sample.labels.items()))
            assert one not in series, "Prometheus refuses a page that tells a series twice"
            series.add(one)
            key = (sample.name, sample.labels.get("worker", ""))
            found[key] = found.get(key, 0.0) + sample.value
    return found


async def test_whichever_worker_is_asked_tells_of_all(redis: RedisServer, tmp_path: Path) -> None:
    async with relay_process(tmp_path, redis=redis.url, workers=2) as relay:
        await relay.seen("listening", 2)
        await relay.seen("redis is there", 2)
        port = await relay.port()
        database = await Database.open(tmp_path)
        way = Way(f"ws://127.0.0.1:{port}/xiaozhi/v1/", Registry(database))
        first, second = Doll(way, "doll-1"), Doll(way, "doll-2")  # type: ignore[arg-type]
        async with first.link() as one, second.link() as two:
            for doll, socket in ((first, one), (second, two)):
                await doll.ask(socket)
                await doll.take(socket)
            await relay.seen("turn", 2)
            for _ in range(4):
                found = await scraped(f"http://127.0.0.1:{port}/metrics")
                for name in ("doll_turns_total", "doll_connected"):
                    workers = {worker for key, worker in found if key == name}
                    assert workers == {"1", "2"}
                    assert sum(found[name, worker] for worker in workers) == 2
                assert found["process_resident_memory_bytes", "1"] > 0
        await database.close()


async def test_relays_that_only_share_redis_are_targets_of_their_own(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with (
        relay_process(tmp_path / "a", redis=redis.url) as a,
        relay_process(tmp_path / "b", redis=redis.url) as b,
    ):
        for relay in (a, b):
            await relay.seen("redis is there")
        found = await scraped(f"http://127.0.0.1:{await a.port()}/metrics")
    assert found["doll_relay_info", ""] == 1
