"""What a grant costs, counted: as good as nothing of it may grow with the limit a minute."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from relay.quota.base import Now
from relay.quota.clock import Reading
from relay.quota.copy import Copy
from relay.quota.factory import open_store
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import Allowance, Limits
from relay.quota.pacing import Pacing
from relay.quota.state import State
from relay.quota.store import MemoryStore
from tests.fakes.clocks import MONDAY

SMALL, LARGE = 15, 4000
PACING = Pacing(ZoneInfo("Asia/Seoul"), keep=0)


class Talk:
    """Requests that use a limit up, each known to have arrived some requests later."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.allowance = Allowance(Limits(limit, limit * 100))
        self.number = 0
        self.refused = 0

    def grant(self, state: State, _: Reading | None = None) -> tuple[None, bool]:
        """One more, in a window that is as full as it may be."""
        at = self.number * 61 / self.limit
        ledger = Ledger(self.allowance, PACING, state, Reading("one", 1e6 + at, MONDAY + at))
        for sent in state.log.on_way[:1]:
            ledger.arrived(sent.at, sent.doll, 0.5)
        self.refused += not isinstance(ledger.grant(Ask(f"doll {self.number}", 100)), Now)
        self.number += 1
        return None, True

    def look(self, state: State, _: Reading | None = None) -> tuple[object, bool]:
        """What one would be told who asks at the same time, behind another one."""
        at = self.number * 61 / self.limit
        ledger = Ledger(self.allowance, PACING, state, Reading("one", 1e6 + at, MONDAY + at))
        ask = Ask("another", 200)
        return ledger.admission(ask, [ask]), False


class Pages:
    """A journal as the stores keep it, in a list, with the bytes that went to and fro."""

    def __init__(self, limit: int) -> None:
        self.talk = Talk(limit)
        self.copy = Copy()
        self.head: bytes | None = None
        self.number = 0
        self.moved = 0

    def grant(self) -> None:
        with self.copy.taken_back():
            state = self.copy.state(self.head, self.number, [])
            self.talk.grant(state)
            page = self.copy.page(state)
            self.moved += len(page.head) + len(page.requests or b"") + len(self.head or b"")
            self.head, self.number = page.head, page.number
            self.copy.kept(page)


def steps(work: Any, *args: Any) -> int:
    """How many instructions of Python a call takes, in all that it calls."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(*args)
    finally:
        sys.settrace(before)
    return count


def full(limit: int) -> tuple[Talk, State]:
    talk, state = Talk(limit), State()
    for _ in range(limit * 3 // 2):
        talk.grant(state)
        state.log.commit()
    assert talk.refused == 0
    return talk, state


def test_a_grant_takes_hardly_more_steps_at_a_limit_of_thousands() -> None:
    small, large = (
        sum(steps(talk.grant, state) for _ in range(100))
        for talk, state in map(full, (SMALL, LARGE))
    )
    assert large < 1.5 * small


def test_who_has_to_wait_is_told_in_hardly_more_steps() -> None:
    small, large = (steps(talk.look, state) for talk, state in map(full, (SMALL, LARGE)))
    assert large < 3 * small  # binary searches: 4,000 is 8 halvings more than 15


def test_a_change_moves_as_many_bytes_at_any_limit() -> None:
    moved = []
    for limit in (SMALL, LARGE):
        pages = Pages(limit)
        for _ in range(limit * 3 // 2):
            pages.grant()
        before = pages.moved
        for _ in range(100):
            pages.grant()
        moved.append(pages.moved - before)
    assert moved[1] < 1.1 * moved[0]


def test_memory_is_changed_without_a_copy_of_the_log() -> None:
    taken = []
    for limit in (SMALL, LARGE):
        talk, store = Talk(limit), MemoryStore()

        async def one(store: MemoryStore = store, talk: Talk = talk) -> None:
            await store.change("model", talk.grant)

        def run(count: int, one: Any = one) -> None:
            for _ in range(count):
                with pytest.raises(StopIteration):
                    one().send(None)

        run(limit * 3 // 2)
        taken.append(steps(run, 100))
        assert talk.refused == 0
    assert taken[1] < 1.5 * taken[0]


async def test_a_change_in_redis_moves_as_many_bytes_at_any_limit(redis_url: str) -> None:
    moved = []
    with Redis.from_url(redis_url) as redis:

        def read() -> int:
            told: dict[str, Any] = redis.info("stats")  # type: ignore[assignment]
            return int(told["total_net_input_bytes"]) + int(told["total_net_output_bytes"])

        for limit in (SMALL, 600):
            store = await open_store(redis_url, f"limit {limit}")
            talk = Talk(limit)
            for _ in range(limit * 3 // 2):
                await store.change("model", talk.grant)
            before = read()
            for _ in range(40):
                await store.change("model", talk.grant)
            moved.append(read() - before)
            await store.close()
    assert moved[1] < 1.1 * moved[0]


async def test_two_processes_with_a_copy_each_see_one_log(shared_url: str) -> None:
    """Each reads only what the other one has added; together they have one limit."""
    talk = Talk(40)
    stores = [await open_store(shared_url, "key") for _ in range(2)]
    for number in range(100):
        await stores[number // 3 % 2].change("model", talk.grant)

    def look(state: State, _: Reading) -> tuple[list[str], bool]:
        state.log.expire(state.time)
        return sorted(map(repr, state.log)), False

    logs = [await store.change("model", look) for store in stores]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 40
    assert talk.refused == 0
    for store in stores:
        await store.close()
