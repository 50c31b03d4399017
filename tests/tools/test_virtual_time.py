"""The clock of the tests: it jumps, in order, and never over work that is still going on."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.virtual_time import DeadlockError, VirtualTimeLoop


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.virtual_time
async def test_a_marked_test_runs_on_the_virtual_clock() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop)
    started = now()
    await asyncio.sleep(100_000)
    assert now() - started == pytest.approx(100_000)


async def test_an_unmarked_test_keeps_its_loop() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


@pytest.mark.virtual_time
async def test_timers_go_off_in_the_order_of_their_times() -> None:
    order: list[tuple[str, float]] = []

    async def after(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        order.append((name, round(now(), 6)))

    await asyncio.gather(after("last", 30), after("first", 0.001), after("second", 2))
    assert order == [("first", 0.001), ("second", 2.0), ("last", 30.0)]


@pytest.mark.virtual_time
async def test_a_time_limit_is_met_at_its_moment() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await asyncio.Event().wait()
    assert now() == pytest.approx(20)


@pytest.mark.virtual_time
async def test_what_is_ready_comes_before_time() -> None:
    ticks = 0
    sleeper = asyncio.create_task(asyncio.sleep(1))
    for _ in range(1000):
        await asyncio.sleep(0)
        ticks += 1
    assert (ticks, now(), sleeper.done()) == (1000, 0.0, False)
    await sleeper


@pytest.mark.virtual_time
async def test_a_thread_is_not_skipped_over() -> None:
    gate = threading.Event()
    work = asyncio.create_task(asyncio.to_thread(gate.wait))
    asyncio.get_running_loop().call_later(5, lambda: pytest.fail("time passed over the thread"))
    await asyncio.sleep(0)
    threading.Timer(0.05, gate.set).start()
    assert await work
    assert now() == 0.0


@pytest.mark.virtual_time
async def test_a_future_of_an_executor_of_ones_own_is_waited_for() -> None:
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        result = asyncio.wrap_future(executor.submit(gate.wait))
        threading.Timer(0.05, gate.set).start()
        async with asyncio.timeout(1):
            assert await result
    assert now() == 0.0


@pytest.mark.virtual_time
async def test_time_goes_on_after_the_thread() -> None:
    await asyncio.to_thread(lambda: None)
    await asyncio.sleep(3)
    assert now() == pytest.approx(3)


def test_a_deadlock_is_an_error_that_names_the_tasks() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with (
        pytest.raises(DeadlockError, match="stuck"),
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        runner.run(stuck())


def test_sockets_are_refused() -> None:
    async def listen() -> None:
        await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)

    with (
        pytest.raises(RuntimeError, match="no sockets"),
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        runner.run(listen())


def test_other_loops_are_as_before_when_it_is_closed() -> None:
    before = asyncio.wrap_future
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(asyncio.sleep(1))
    assert asyncio.wrap_future is before


@pytest.mark.virtual_time
async def test_the_clock_stands_where_a_thread_answers_in_its_own_way() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    release, answer = threading.Event(), loop.create_future()

    def work() -> None:
        release.wait(10)
        loop.call_soon_threadsafe(answer.set_result, "done")

    thread = threading.Thread(target=work)
    thread.start()
    started = now()
    loop.call_later(3600, answer.cancel)
    with loop.standing():
        release.set()
        assert await answer == "done"
    thread.join()
    assert now() == started
