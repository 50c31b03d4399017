"""How a doll is parted from: after its answer, but not for ever."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from relay.parting import LAST_WORDS_S, STOPS, see_out
from relay.turn.session import Session
from relay.wire.errors import CloseCode

pytestmark = pytest.mark.virtual_time


class Doll:
    """A session as `see_out` sees it; its answer is over `answer_s` after its beginning."""

    def __init__(self, answer_s: float) -> None:
        self._until = asyncio.get_running_loop().time() + answer_s
        self.delivery = self
        self.told: tuple[CloseCode, str] | None = None
        self.told_at = -1.0

    @property
    def answers(self) -> bool:
        return asyncio.get_running_loop().time() < self._until

    async def close(self, code: CloseCode, reason: str) -> None:
        self.told = (code, reason)
        self.told_at = asyncio.get_running_loop().time()


async def seen_out(answer_s: float, hurry_at: float = float("inf")) -> Doll:
    now = asyncio.get_running_loop().time
    doll = Doll(answer_s)
    await see_out(cast("Session", doll), lambda: now() >= hurry_at)
    return doll


async def test_a_doll_that_is_silent_is_told_at_once_that_the_relay_goes_away() -> None:
    doll = await seen_out(answer_s=0.0)
    assert doll.told == STOPS
    assert doll.told is not None
    assert doll.told[0] == 1001, "what makes a doll come back at once"
    assert doll.told_at == 0.0


async def test_an_answer_is_heard_to_its_end_and_the_doll_is_told_right_after() -> None:
    doll = await seen_out(answer_s=7.0)
    assert doll.told == STOPS
    assert 7.0 <= doll.told_at <= 7.2


async def test_an_answer_that_does_not_end_is_cut() -> None:
    doll = await seen_out(answer_s=3600.0)
    assert doll.told == STOPS
    assert doll.told_at == pytest.approx(LAST_WORDS_S, abs=0.2)


async def test_nobody_is_waited_for_in_a_hurry() -> None:
    assert (await seen_out(answer_s=10.0, hurry_at=0.0)).told_at == 0.0


async def test_a_hurry_that_comes_later_ends_the_wait() -> None:
    doll = await seen_out(answer_s=10.0, hurry_at=2.0)
    assert doll.told == STOPS
    assert 2.0 <= doll.told_at <= 2.2
