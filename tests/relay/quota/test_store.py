"""What every store promises: in memory, in an SQLite file, in a real Redis-compatible server."""

from __future__ import annotations

import asyncio

import pytest

from relay.quota.clock import Reading
from relay.quota.factory import open_store
from relay.quota.state import State
from relay.quota.store import Store, StoreError, read
from tests.fakes.clocks import ManualClock


def count(state: State, reading: Reading) -> tuple[int, bool]:
    state.refusals += 1
    return state.refusals, True


def peek(state: State, reading: Reading) -> tuple[int, bool]:
    state.failures = 99
    return state.refusals, False


async def test_a_change_is_there_for_the_next_one(store: Store) -> None:
    assert [await store.change("model", count) for _ in range(3)] == [1, 2, 3]
    assert await store.change("model", peek) == 3


async def test_what_is_not_to_be_written_is_not(store: Store) -> None:
    await store.change("model", peek)
    assert await store.change("model", lambda state, _: (state.failures, False)) == 0
    assert await store.models() == []


async def test_models_have_ledgers_of_their_own(store: Store) -> None:
    await store.change("b", count)
    assert await store.change("a", count) == 1
    assert sorted(await store.models()) == ["a", "b"]


async def test_changes_at_the_same_time_all_count(store: Store) -> None:
    await asyncio.gather(*(store.change("model", count) for _ in range(30)))
    assert await store.change("model", peek) == 30


async def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    def fails(state: State, reading: Reading) -> tuple[None, bool]:
        state.refusals = 7
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.change("model", fails)
    assert await store.change("model", count) == 1


async def test_the_steady_clock_is_this_machines(store: Store, clock: ManualClock) -> None:
    reading = await store.change("model", lambda _, reading: (reading, False))
    assert (reading.origin, reading.steady) == (clock.origin, clock.steady)


async def test_two_openings_of_a_store_share_a_project_and_different_keys_do_not(
    shared_url: str, clock: ManualClock
) -> None:
    store = await open_store(shared_url, "key", clock=clock)
    await store.change("model", count)
    same = await open_store(shared_url, "key", clock=clock)
    other = await open_store(shared_url, "another key", clock=clock)
    assert await same.change("model", count) == 2
    assert await other.change("model", count) == 1
    for each in (store, same, other):
        await each.close()


async def test_closing_twice_does_no_harm(store: Store) -> None:
    await store.close()


def test_what_nobody_can_read_is_told_with_what_to_do() -> None:
    with pytest.raises(StoreError, match="move it away"):
        read(b'{"log": 5}')
