"""A worker keeps one thread busy, in order, and says no when too much waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.worker import Worker


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    worker = Worker("test", waiting=1)
    yield worker
    await worker.close()


class Gate:
    """Holds the worker's thread until it is opened."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()

    def hold(self) -> None:
        self._entered.set()
        assert self._opened.wait(30)

    async def entered(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, 30)

    def open(self) -> None:
        self._opened.set()


async def test_it_gives_back_what_the_function_returns_or_raises(worker: Worker) -> None:
    assert await worker.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await worker.run(divmod, 7, 0)


async def test_it_works_off_the_event_loop_in_one_thread(worker: Worker) -> None:
    threads = {await worker.run(threading.get_ident) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_one_more_than_may_wait_is_refused_at_once(worker: Worker) -> None:
    gate = Gate()
    running = asyncio.create_task(worker.run(gate.hold))
    await gate.entered()
    waiting = asyncio.create_task(worker.run(int))
    await asyncio.sleep(0)
    with pytest.raises(ProviderError) as caught:
        await worker.run(int)
    assert caught.value.kind is ErrorKind.RATE
    gate.open()
    await asyncio.gather(running, waiting)
    assert await worker.run(int) == 0


async def test_a_call_cancelled_while_it_waits_never_starts_and_gives_its_place_back(
    worker: Worker,
) -> None:
    gate, started = Gate(), threading.Event()
    running = asyncio.create_task(worker.run(gate.hold))
    await gate.entered()
    for _ in range(3):
        waiting = asyncio.create_task(worker.run(started.set))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    gate.open()
    await running
    assert await worker.run(int) == 0
    assert not started.is_set()


async def test_a_call_cancelled_while_it_runs_ends_for_its_caller_at_once(worker: Worker) -> None:
    gate = Gate()
    running = asyncio.create_task(worker.run(gate.hold))
    await gate.entered()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gate.open()
    assert await worker.run(int) == 0


async def test_closing_waits_for_what_runs_drops_what_waits_and_refuses_what_comes() -> None:
    worker, gate = Worker("test"), Gate()
    running = asyncio.create_task(worker.run(gate.hold))
    await gate.entered()
    waiting = asyncio.create_task(worker.run(int))
    await asyncio.sleep(0)
    closing = asyncio.create_task(worker.close())
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not closing.done()
    gate.open()
    await asyncio.gather(running, closing)
    with pytest.raises(ProviderError) as caught:
        await worker.run(int)
    assert caught.value.kind is ErrorKind.SERVER
    await worker.close()


async def test_with_threads_to_spare_one_call_does_not_wait_for_another() -> None:
    worker, gate = Worker("test", waiting=0, threads=2), Gate()
    running = asyncio.create_task(worker.run(gate.hold))
    await gate.entered()
    assert await worker.run(int) == 0
    gate.open()
    await running
    await worker.close()
