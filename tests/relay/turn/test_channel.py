from __future__ import annotations

import asyncio

import pytest

from relay.turn.channel import Channel, Left

pytestmark = pytest.mark.virtual_time


async def test_items_arrive_in_order_and_then_the_end() -> None:
    channel: Channel[int] = Channel(2)

    async def write() -> None:
        for number in range(10):
            await channel.send(number)
        channel.finish()

    writer = asyncio.create_task(write())
    assert [item async for item in channel] == list(range(10))
    await writer


async def test_a_failure_of_the_writer_comes_behind_what_it_sent() -> None:
    channel: Channel[int] = Channel(8)
    await channel.send(1)
    await channel.send(2)
    channel.finish(ValueError("broken"))
    assert [await anext(channel), await anext(channel)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        await anext(channel)


async def test_a_full_channel_holds_the_writer_back() -> None:
    channel: Channel[int] = Channel(2)
    sent = []

    async def write() -> None:
        for number in range(4):
            await channel.send(number)
            sent.append(number)

    writer = asyncio.create_task(write())
    await asyncio.sleep(1)
    assert sent == [0, 1]
    assert await anext(channel) == 0
    await asyncio.sleep(1)
    assert sent == [0, 1, 2]
    writer.cancel()


async def test_a_reader_that_leaves_frees_a_waiting_writer() -> None:
    channel: Channel[int] = Channel(1)
    await channel.send(1)
    waiting = asyncio.create_task(channel.send(2))
    await asyncio.sleep(1)
    channel.leave()
    with pytest.raises(Left):
        await waiting
    with pytest.raises(Left):
        await channel.send(3)
