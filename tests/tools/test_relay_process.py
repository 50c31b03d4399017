"""How a relay of its own is ended: as long as it parts from its dolls, and no longer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from relay.cluster.child import STOP_S
from relay.parting import LAST_WORDS_S
from tools.relay_process import RelayProcess

pytestmark = pytest.mark.virtual_time


class Ending:
    """A process that ends so many seconds after it is asked to, or when it is killed."""

    def __init__(self, takes_s: float) -> None:
        self.stderr = asyncio.StreamReader()
        self.returncode: int | None = None
        self._takes_s = takes_s
        self._over = asyncio.Event()

    def terminate(self) -> None:
        asyncio.get_running_loop().call_later(self._takes_s, self._end, 0)

    def kill(self) -> None:
        self._end(-9)

    async def wait(self) -> int:
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def _end(self, code: int) -> None:
        if self.returncode is None:
            self.returncode = code
            self.stderr.feed_eof()
            self._over.set()


async def stopped(takes_s: float) -> int | None:
    process = Ending(takes_s)
    relay = RelayProcess(
        cast("asyncio.subprocess.Process", process), lambda _: None, Path("nowhere")
    )
    await relay.stop()
    return process.returncode


async def test_a_relay_that_lets_its_dolls_hear_their_answers_is_not_killed() -> None:
    assert await stopped(LAST_WORDS_S + 5.0) == 0


async def test_one_that_does_not_end_is_killed() -> None:
    assert await stopped(takes_s=3600.0) == -9
    assert asyncio.get_running_loop().time() == STOP_S


async def test_one_that_has_ended_is_not_waited_for() -> None:
    assert await stopped(0.0) == 0
    assert asyncio.get_running_loop().time() == 0.0
