"""`doll bench memory`: what a long history costs the next turn, and a learned manner of speech.

A doll with 100,000 messages and one with none, in the same SQLite file, on this machine. For each,
turn about: its memory is opened as for a doll that comes, and the prompt of its next turn is built.
Then as many lines of a manner of speech are indexed and searched (`tools.bench.manner`).
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from relay.devices.registry import Registry
from relay.llm.base import Request
from relay.llm.dialogue import system_prompt, turns
from relay.memory.conversation import Conversation
from relay.memory.memory import Memory
from relay.memory.records import Exchange, Fact, Summary
from relay.memory.settings import MemorySettings
from relay.memory.store import MemoryStore, News
from relay.persona import load
from relay.store.database import FILE, Database
from tools.bench.manner import figures
from tools.bench.report import Goal, Report, percentiles_ms

_ROUNDS = 40
_AT_ONCE = 1_000
_LIMIT_MS = 10.0
_ZONE = ZoneInfo("Asia/Seoul")
_PERSONA = load("chacha")
_OLD, _NEW = "old", "new"


async def measure(messages: int = 100_000) -> Report:
    """Fill a database, then open and build."""
    with tempfile.TemporaryDirectory(prefix="doll-bench-") as folder:
        database = await Database.open(Path(folder))
        try:
            await _fill(database, messages // 2)
            return await _measure(database, messages, Path(folder) / FILE)
        finally:
            await database.close()


async def _measure(database: Database, messages: int, file: Path) -> Report:
    settings = MemorySettings()
    memory = Memory(database, settings, zone=_ZONE)
    opened: dict[str, list[float]] = {_OLD: [], _NEW: []}
    built: dict[str, list[float]] = {_OLD: [], _NEW: []}
    sizes: dict[str, int] = {}
    for _ in range(_ROUNDS):
        for doll in (_OLD, _NEW):
            start = time.perf_counter()
            conversation = await memory.open(doll, _PERSONA)
            middle = time.perf_counter()
            sizes[doll] = _build(conversation)
            built[doll].append(time.perf_counter() - middle)
            opened[doll].append(middle - start)
            del conversation  # and with it what is kept in RAM
    writes = await _writes(MemoryStore(database))
    more_ms = _median_ms(built[_OLD]) - _median_ms(built[_NEW])
    manner = await asyncio.to_thread(figures, messages)
    first_ms = more_ms + _median_ms(opened[_OLD]) - _median_ms(opened[_NEW])
    return Report(
        "memory",
        f"the next turn's prompt of a doll with {messages} messages and of one with none, "
        f"alternately, {_ROUNDS} times each",
        {
            **percentiles_ms("open_empty", opened[_NEW]),
            **percentiles_ms("prompt_empty", built[_NEW]),
            "prompt_empty_chars": sizes[_NEW],
        },
        {
            "messages": messages,
            **percentiles_ms("open", opened[_OLD]),
            **percentiles_ms("prompt", built[_OLD]),
            "prompt_chars": sizes[_OLD],
            "write_behind_p50_ms": round(_median_ms(writes), 2),
            "database_mb": round((await asyncio.to_thread(file.stat)).st_size / 1e6, 1),
            **manner,
        },
        [
            Goal("prompt, more than with an empty history", round(more_ms, 2), _LIMIT_MS, "ms"),
            Goal("the same with the session's start", round(first_ms, 2), _LIMIT_MS, "ms"),
            Goal("the nearest lines of a manner", manner["manner_search_p95_ms"], _LIMIT_MS, "ms"),
        ],
    )


async def _fill(database: Database, count: int) -> None:
    registry, store = Registry(database), MemoryStore(database)
    for doll in (_OLD, _NEW):
        await registry.issue(doll, name=doll)
    now = int(time.time())
    for start in range(0, count, _AT_ONCE):
        await store.keep(
            [
                News(_OLD, Exchange(now, f"오늘 {n}번째로 하는 이야기야, 들어 봐.", "흥, 또 왔어?"))
                for n in range(start, min(start + _AT_ONCE, count))
            ]
        )
    facts = [Fact(now, f"진주는 {n}번 버스를 타고 다닌다.") for n in range(MemorySettings().facts)]
    await store.set_facts(_OLD, facts)
    newest = (await store.load(_OLD, 1)).turns[-1].id
    revision = await store.revision(_OLD)
    assert revision is not None
    await store.summarise(_OLD, Summary(now, newest - 100, "요약 " * 150), revision)


def _build(conversation: Conversation) -> int:
    """The prompt of a turn, as a model gets it; its length."""
    request = Request(
        persona=_PERSONA,
        history=conversation.history(),
        text="안녕",
        language="ko",
        now=datetime.now(_ZONE),
        notes=conversation.notes(),
    )
    return len(system_prompt(request, "fields")) + sum(len(turn.text) for turn in turns(request))


async def _writes(store: MemoryStore) -> list[float]:
    took = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        await store.keep([News(_OLD, Exchange(int(time.time()), "안녕", "흥."))])
        took.append(time.perf_counter() - start)
        await asyncio.sleep(0)
    return took


def _median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000
