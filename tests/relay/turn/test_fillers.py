from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from relay.turn.fillers import Fillers, Sound
from relay.turn.reply import Reply
from relay.turn.settings import TurnSettings
from relay.turn.timeline import Timeline
from tests.fakes.connection import FakeConnection
from tests.fakes.tts import FakeTextToSpeech

pytestmark = pytest.mark.virtual_time

SETTINGS = TurnSettings(filler_after_s=1.6, filler_again_s=5.0, max_fillers=3)
FILLER_S = 1.0


class Company:
    """Fillers beside a reply, and what they asked for."""

    def __init__(self, settings: TurnSettings = SETTINGS) -> None:
        self.doll = FakeConnection()
        self.reply = Reply(self.doll, FakeTextToSpeech(1.0), Timeline(), head_start_s=0.6)
        self.keys: list[str] = []
        self.begun: list[float] = []
        self.fillers = Fillers(self.reply, settings, self._sound, self._begin, since=0.0)

    async def _sound(self, key: str) -> Sound:
        self.keys.append(key)
        return np.full(int(FILLER_S * 16_000), 3_000, np.int16), 16_000

    async def _begin(self) -> None:
        self.begun.append(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.fillers.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def test_a_quick_answer_needs_none() -> None:
    company = Company()
    async with company.running():
        await asyncio.sleep(1.5)
        await company.reply.recorded(np.full(16_000, 1, np.int16), 16_000)
        await asyncio.sleep(20)
    assert company.fillers.said == 0


async def test_silence_is_filled_before_two_seconds_are_over_and_then_now_and_again() -> None:
    company = Company()
    async with company.running():
        await asyncio.sleep(60)
    first, second, third = company.begun
    assert first == 1.6
    assert second == pytest.approx(first + FILLER_S + 5.0, abs=0.1)
    assert third == pytest.approx(second + FILLER_S + 5.0, abs=0.1)
    assert company.keys == ["filler.thinking", "filler.waiting", "filler.waiting"]
    assert company.fillers.said == 3


async def test_a_wait_that_is_known_is_filled_at_once() -> None:
    company = Company()
    async with company.running():
        await asyncio.sleep(0.2)
        company.fillers.hurry()
        await asyncio.sleep(0.1)
        assert company.begun == [0.2]
        company.fillers.hurry()
        await asyncio.sleep(2.0)
        assert company.begun == [0.2]


async def test_a_doll_may_be_told_to_say_none() -> None:
    company = Company(TurnSettings(max_fillers=0))
    async with company.running():
        await asyncio.sleep(60)
    assert company.doll.frames == []
