"""What dolls cost the database: rows, bytes and processor time of a turn and of an arrival."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil
from sqlalchemy import delete, insert, select, text

from relay.devices.registry import Registry
from relay.memory.course import Course
from relay.memory.records import Draft, Exchange
from relay.memory.store import MemoryStore, News
from relay.store.database import Database
from relay.store.tables import devices, turns

_TURNS = 2_000  # a multiple of sixteen
_ARRIVALS = 300
_LOOKS = 200
_PAGE = 1_000

#: A turn as it is spoken: written as its first clause begins, with the next one, and in the end.
_HEARD = "오늘 학교에서 있었던 일을 이야기해 줄까? 아주 재미있었어."
_SAID = "흥, 딱히 궁금한 건 아니지만... 네가 그렇게 말하고 싶다면 들어 줄게. 무슨 일이 있었는데?"
_COURSE = Course(
    {
        name: 1_000 + number
        for number, name in enumerate(
            (
                *("speech_start", "speech_end", "endpoint", "transcript", "quota_granted"),
                *("first_token", "first_clause", "first_audio", "last_audio"),
            )
        )
    },
    outcome="finished",
    model="gemini-3.5-flash-lite",
)


async def measure(url: str, dolls: int, count: int = _TURNS) -> dict[str, float]:
    """Half a minute with 10,000 dolls. The database has to be a new one that nobody else uses."""
    database = await Database.open(Path(), url)
    try:
        await _register(database, dolls)
        server = await _server(database)
        store, registry = MemoryStore(database), Registry(database)
        size = await _size(database)
        found: dict[str, float] = {"database_dolls": dolls}
        for name, together in (("turn_alone", 1), ("turn_in_16", 16)):
            before = _cpu(server), time.process_time()
            await _talk(store, dolls, count, together)
            found[f"{name}_postgres_us"] = _us(_cpu(server) - before[0], count)
            found[f"{name}_relay_us"] = _us(time.process_time() - before[1], count)
        found["turn_bytes"] = round((await _size(database) - size) / (2 * count))
        before = _cpu(server), time.process_time()
        for number in range(_ARRIVALS):
            await registry.check(f"bench-{number}", "no token of its own")
            await store.load(f"bench-{number}", 20)
        found["arrival_postgres_us"] = _us(_cpu(server) - before[0], _ARRIVALS)
        found["arrival_relay_us"] = _us(time.process_time() - before[1], _ARRIVALS)
        before = _cpu(server), time.process_time()
        for _ in range(_LOOKS):
            await registry.generation()
        found["look_postgres_us"] = _us(_cpu(server) - before[0], _LOOKS)
        return found
    finally:
        await database.close()


async def _register(database: Database, dolls: int) -> None:
    async with database.writing() as connection:
        if (await connection.execute(select(devices.c.id).limit(1))).first() is not None:
            await connection.execute(delete(devices).where(devices.c.id.like("bench-%")))
        for at in range(0, dolls, _PAGE):
            rows = [
                {"id": f"bench-{number}", "name": f"bench-{number}", "created": 1}
                for number in range(at, min(at + _PAGE, dolls))
            ]
            await connection.execute(insert(devices), rows)


async def _talk(store: MemoryStore, dolls: int, count: int, together: int) -> None:
    """So many turns, of so many dolls at the same moment; the writer puts those in one transaction
    that wait, so a busy worker writes more of them together."""
    now, clauses = int(time.time()), _SAID.split("... ")
    for first in range(0, count, together):
        numbers = range(first, first + together)
        for part in range(3):
            news = [
                News(
                    f"bench-{number * 7 % dolls}",
                    Draft(number, Exchange(now, _HEARD, clauses[0]))
                    if part == 0
                    else Draft(number, Exchange(now, _HEARD, _SAID))
                    if part == 1
                    else Draft(number, Exchange(now, _HEARD, _SAID, course=_COURSE), over=True),
                )
                for number in numbers
            ]
            await store.keep(news)
            await asyncio.sleep(0)


async def _server(database: Database) -> psutil.Process | None:
    """The parent of all processes of the server, if it runs on this machine."""
    async with database.reading() as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    try:
        parent = psutil.Process(pid).parent()
    except psutil.Error:
        return None
    return parent if parent is not None and "postgres" in parent.name() else None


def _cpu(server: psutil.Process | None) -> float:
    """Seconds of all its processes; 0 where they cannot be seen."""
    if server is None:
        return 0.0
    return sum(sum(each.cpu_times()[:2]) for each in [server, *server.children(recursive=True)])


async def _size(database: Database) -> int:
    """Bytes of what was said, with its indexes."""
    async with database.reading() as connection:
        query = text("SELECT pg_total_relation_size(:name)")
        size: int = (await connection.execute(query, {"name": turns.name})).scalar_one()
    return size


def _us(seconds: float, count: int) -> float:
    return round(seconds / count * 1e6, 1)
