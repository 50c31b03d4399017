"""A delivery that is handed over, and the one that takes it up."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.turn.delivery import Delivery
from relay.turn.machine import State
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import DeviceMessage, Hello, Resume, Tts
from tests.fakes.connection import FRAME_S, FakeConnection
from tests.relay.turn.test_delivery import KEEP_S, delivery, frame, lose, shown
from tools.virtual_time import VirtualTimeLoop


class FakeLine:
    """Hands what is delivered to the next delivery, as a worker would."""

    hello = Hello()

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.closed = asyncio.Event()

    async def deliver(self, data: Any) -> None:
        if self.closed.is_set():
            raise Disconnected(CloseCode.REPLACED, "closed")
        self.sent.append(data)

    async def receive(self) -> DeviceMessage:
        await self.closed.wait()
        raise Disconnected(CloseCode.REPLACED, "closed")

    async def close(self, code: CloseCode, reason: str) -> None:
        self.closed.set()


@pytest.mark.virtual_time
async def test_what_a_doll_has_not_got_is_handed_over_and_the_rest_goes_over_the_line() -> None:
    connection, line = FakeConnection(resumes=True), FakeLine()
    part = delivery(connection)
    await part.send(Tts(state="start"))
    for number in range(3):
        await part.send_audio(frame(number))
    task = await lose(connection, part)
    waiting = asyncio.create_task(part.send_audio(frame(3)))  # there is no link
    await asyncio.sleep(0.01)
    assert part.can_go_on("session-1", 2, "samples")
    assert not part.can_go_on("session-2", 2, "samples")
    assert not part.can_go_on("session-1", 2, "opus")
    assert not part.can_go_on("session-1", 5, "samples")
    kept = part.hand_over(2, line)
    await waiting
    assert [np.frombuffer(data, np.int16)[0] for data in kept] == [1, 2, 3]
    await part.send_audio(frame(4))
    assert [np.frombuffer(data, np.int16)[0] for data in line.sent] == [4]
    assert not part.can_go_on("session-1", 5, "samples")  # it is not ours any more
    await part.close(CloseCode.REPLACED, "")
    with pytest.raises(Disconnected):
        await task
    with pytest.raises(Disconnected):
        await part.send_audio(frame(5))


@pytest.mark.virtual_time
async def test_a_link_is_let_go_only_where_there_is_an_answer_to_come_back_for() -> None:
    for state, expected in ((State.SPEAKING, True), (State.LISTENING, False)):
        connection = FakeConnection(resumes=True)
        part = delivery(connection, state)
        assert await part.let_go(CloseCode.GOING_AWAY, "") is expected
        assert (connection.closed is not None) is expected


async def moved(frames: int, at: int, missed: int) -> list[Any]:
    """Send so many frames; after the one with the number `at` the doll comes to another worker,
    having got all but the last `missed`. All that it got, in order."""
    old = connection = FakeConnection(resumes=True)
    maker = here = delivery(old)
    line = FakeLine()
    for number in range(frames):
        await maker.send_audio(frame(number))
        for data in line.sent:
            await here.pass_on(data)
        line.sent.clear()
        await asyncio.sleep(FRAME_S)
        if number == at:
            counted = max(0, len(old.sent) - missed)
            kept = maker.hand_over(counted, line)
            connection = FakeConnection(resume=Resume("session-1", counted))
            here = Delivery(connection, lambda: State.SPEAKING, keep_s=KEEP_S, head_start_s=0.6)
            here.take_up(counted, kept)
            here.catch_up()
    await asyncio.sleep(5)
    await maker.close(CloseCode.REPLACED, "")
    await here.close(CloseCode.GOING_AWAY, "")
    return shown(old)[:counted] + shown(connection)


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 40), st.integers(0, 4), st.integers(0, 30))
def test_wherever_a_doll_moves_it_gets_each_frame_once_and_in_order(
    frames: int, at: int, missed: int
) -> None:
    loop = VirtualTimeLoop()
    try:
        got = loop.run_until_complete(moved(frames, at, missed))
    finally:
        loop.close()
    assert got == list(range(frames))
