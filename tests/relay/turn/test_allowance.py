from __future__ import annotations

import asyncio

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.turn.allowance import Allowance


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_twice_a_minute_s_turns_at_once_and_then_so_many_a_minute() -> None:
    clock = Clock()
    allowance = Allowance(6.0, clock)
    assert [allowance.turn() for _ in range(13)] == [True] * 12 + [False]
    clock.now = 10.1
    assert [allowance.turn() for _ in range(2)] == [True, False]


def test_early_recognitions_are_limited_apart() -> None:
    allowance = Allowance(6.0, Clock())
    assert sum(allowance.recognition() for _ in range(100)) == 48
    assert allowance.turn()


async def test_the_refusal_is_one_that_the_doll_has_words_for() -> None:
    refusal = Allowance(1.0, Clock()).refusal()
    with pytest.raises(ProviderError) as error:
        await refusal
    assert error.value.kind is ErrorKind.RATE


async def test_a_refusal_that_nobody_awaits_is_not_complained_about() -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    task = Allowance(1.0, Clock()).refusal()
    await asyncio.wait({task})
    del task
    await asyncio.sleep(0)
    assert complaints == []
