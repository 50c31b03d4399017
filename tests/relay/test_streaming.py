from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.streaming import MAX_ANSWER_CHARS, Deadlines, bounded

pytestmark = pytest.mark.virtual_time

DEADLINES = Deadlines(first_s=8, gap_s=5, total_s=30)


class Source:
    """Text at given pauses; knows whether it was cancelled while it waited."""

    def __init__(self, *steps: float | str | Exception) -> None:
        self._steps = steps
        self.cancelled = False

    async def pieces(self) -> AsyncGenerator[str, None]:
        try:
            for step in self._steps:
                if isinstance(step, str):
                    yield step
                elif isinstance(step, Exception):
                    raise step
                else:
                    await asyncio.sleep(step)
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def collect(*steps: float | str | Exception) -> list[str]:
    async with aclosing(bounded(Source(*steps).pieces(), DEADLINES, service="X")) as pieces:
        return [piece async for piece in pieces]


async def fail(*steps: float | str | Exception) -> tuple[ProviderError, float]:
    """The error, and when it came."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ProviderError) as caught:
        await collect(*steps)
    return caught.value, loop.time() - started


async def test_passes_on_what_comes_in_time() -> None:
    assert await collect(7.9, "a", 4.9, "b", 4.9, "c") == ["a", "b", "c"]


async def test_the_first_text_has_its_deadline() -> None:
    error, at = await fail(100.0, "a")
    assert (error.kind, at) == (ErrorKind.NETWORK, 8)
    assert "before the first word" in error.message


async def test_a_piece_without_text_does_not_move_the_deadline() -> None:
    error, at = await fail(7.0, "", 7.0, "a")
    assert (error.kind, at) == (ErrorKind.NETWORK, 8)


async def test_a_gap_has_its_deadline() -> None:
    error, at = await fail(1.0, "a", 100.0, "b")
    assert (error.kind, at) == (ErrorKind.NETWORK, 6)
    assert "in the middle" in error.message


async def test_the_whole_has_its_deadline() -> None:
    error, at = await fail(*[1.0, "a"] * 100)
    assert (error.kind, at) == (ErrorKind.NETWORK, 30)


async def test_a_short_total_bounds_the_first_text_too() -> None:
    source = Source(100.0, "a")
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ProviderError):
        await anext(bounded(source.pieces(), Deadlines(8, 5, total_s=2), service="X"))
    assert loop.time() - started == 2
    assert source.cancelled


async def test_no_text_is_a_failure() -> None:
    error, _ = await fail("", "")
    assert error.kind is ErrorKind.SERVER


async def test_what_the_source_raises_comes_after_what_it_said() -> None:
    failure = ProviderError(ErrorKind.BLOCKED, "no")
    pieces = bounded(Source("a", failure).pieces(), DEADLINES, service="X")
    assert await anext(pieces) == "a"
    with pytest.raises(ProviderError) as caught:
        await anext(pieces)
    assert caught.value is failure


async def test_a_slow_reader_is_no_gap() -> None:
    heard = []
    source = Source("a", 1.0, "b", 1.0, "c")
    async with aclosing(bounded(source.pieces(), DEADLINES, service="X")) as pieces:
        async for piece in pieces:
            heard.append(piece)
            await asyncio.sleep(20)
    assert heard == ["a", "b", "c"]


async def test_closing_cancels_the_read() -> None:
    source = Source("a", 100.0, "b")
    async with aclosing(bounded(source.pieces(), DEADLINES, service="X")) as pieces:
        await anext(pieces)
    assert source.cancelled


async def test_an_endless_answer_ends_at_its_limit_and_cancels_the_read() -> None:
    source = Source(*["가" * 3_000] * 5, 100.0)
    text = ""
    async with aclosing(bounded(source.pieces(), DEADLINES, service="X")) as pieces:
        async for piece in pieces:
            text += piece
    assert len(text) == MAX_ANSWER_CHARS
    assert source.cancelled
