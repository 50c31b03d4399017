from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audio import FRAME_SAMPLES, Pcm
from relay.turn.delivery import Delivery
from relay.turn.machine import State
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import Abort, Resume, Stt, Tts
from tests.fakes.connection import FRAME_S, FakeConnection
from tools.virtual_time import VirtualTimeLoop

KEEP_S = 15.0
HEAD_START_S = 0.6


def frame(number: int) -> Pcm:
    return np.full(FRAME_SAMPLES, number, np.int16)


def delivery(connection: FakeConnection, state: State = State.SPEAKING) -> Delivery:
    return Delivery(connection, lambda: state, keep_s=KEEP_S, head_start_s=HEAD_START_S)


def again(received: int, session_id: str = "session-1") -> FakeConnection:
    """The doll's new connection."""
    return FakeConnection(resume=Resume(session_id, received))


def shown(connection: FakeConnection) -> list[Any]:
    """What came: frames as their numbers, messages as they are."""
    return [
        int(item.what[0]) if isinstance(item.what, np.ndarray) else item.what
        for item in connection.sent
    ]


async def lose(connection: FakeConnection, part: Delivery) -> asyncio.Task[Any]:
    """The link breaks; the task goes on receiving."""
    task = asyncio.create_task(part.receive())
    await asyncio.sleep(0)
    connection.vanish()
    await asyncio.sleep(0.001)
    return task


async def let_go(task: asyncio.Task[Any], part: Delivery) -> None:
    await part.close(CloseCode.GOING_AWAY, "the test is over")
    with pytest.raises(Disconnected):
        await task


@pytest.mark.virtual_time
async def test_a_reply_goes_on_with_the_first_message_that_has_not_come() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    await part.send(Tts(state="start"))
    for number in range(5):
        await part.send_audio(frame(number))
    task = await lose(first, part)
    second = again(received=4)  # tts start, and the frames 0 to 2
    assert part.can_resume(second)
    await part.resume(second)
    for number in range(5, 8):
        await part.send_audio(frame(number))
    await part.send(Tts(state="stop"))
    assert second.greeted is True
    assert shown(second) == [3, 4, 5, 6, 7, Tts(state="stop")]
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_audio_waits_for_the_link_and_texts_do_not() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    task = await lose(first, part)
    await part.send(Stt(text="hi"))
    audio = asyncio.create_task(part.send_audio(frame(1)))
    await asyncio.sleep(KEEP_S - 1)
    assert not audio.done()
    second = again(received=0)
    await part.resume(second)
    await audio
    assert shown(second) == [Stt(text="hi"), 1]
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_what_is_sent_again_is_paced_as_the_reply_is() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    for number in range(200):  # a link that takes everything and delivers nothing
        await part.send_audio(frame(number))
    task = await lose(first, part)
    second = again(received=0)
    began = asyncio.get_running_loop().time()
    await part.resume(second)
    await part.send_audio(frame(200))
    for at, item in enumerate(second.sent):
        assert item.at - began >= at * FRAME_S - HEAD_START_S - 1e-6
    assert shown(second) == list(range(201))
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_a_doll_that_does_not_come_back_is_given_up_after_the_time() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    began = asyncio.get_running_loop().time()
    task = await lose(first, part)
    audio = asyncio.create_task(part.send_audio(frame(1)))
    for waiting in (task, audio):
        with pytest.raises(Disconnected):
            await waiting
    assert asyncio.get_running_loop().time() - began == pytest.approx(KEEP_S, abs=0.01)
    with pytest.raises(Disconnected):
        await part.send(Stt(text="hi"))
    assert not part.can_resume(again(received=0))


@pytest.mark.virtual_time
async def test_the_wait_begins_anew_with_each_loss() -> None:
    connection = FakeConnection(resumes=True)
    part = delivery(connection)
    task = await lose(connection, part)
    for _ in range(3):
        await asyncio.sleep(KEEP_S - 1)
        connection = again(received=0)
        await part.resume(connection)
        connection.vanish()
        await asyncio.sleep(0.001)
    assert not task.done()
    with pytest.raises(Disconnected):
        await task


@pytest.mark.virtual_time
@pytest.mark.parametrize("code", [CloseCode.FLOOD, CloseCode.BAD_MESSAGES, CloseCode.RESTARTING])
async def test_a_link_that_ended_for_a_reason_is_not_waited_for(code: CloseCode) -> None:
    connection = FakeConnection(resumes=True)
    part = delivery(connection)
    connection.vanish(code)
    with pytest.raises(Disconnected):
        await part.receive()


@pytest.mark.virtual_time
async def test_a_device_that_cannot_resume_is_not_waited_for_and_costs_no_memory() -> None:
    connection = FakeConnection()
    part = delivery(connection)
    for number in range(1000):
        await part.send_audio(frame(number))
    assert len(part._journal) == 0
    connection.vanish()
    with pytest.raises(Disconnected):
        await part.receive()


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("state", "heard_all", "kept"),
    [
        (State.THINKING, True, True),
        (State.SPEAKING, True, True),
        (State.LISTENING, False, False),
        (State.IDLE, False, True),
        (State.IDLE, True, False),
    ],
)
async def test_it_waits_only_where_an_answer_is_not_out(
    state: State, heard_all: bool, kept: bool
) -> None:
    connection = FakeConnection(resumes=True)
    part = delivery(connection, state)
    await part.send_audio(frame(1))
    if heard_all:
        part.confirm()
    task = await lose(connection, part)
    assert task.done() != kept
    assert part.can_resume(again(received=int(heard_all))) == kept
    if kept:
        await let_go(task, part)
    else:
        with pytest.raises(Disconnected):
            await task


@pytest.mark.virtual_time
async def test_a_stranger_or_a_count_that_cannot_be_is_refused() -> None:
    connection = FakeConnection(resumes=True)
    part = delivery(connection)
    await part.send_audio(frame(1))
    assert part.can_resume(again(received=1))
    assert not part.can_resume(again(received=1, session_id="séance"))
    assert not part.can_resume(again(received=2))
    assert not part.can_resume(FakeConnection(resumes=True))
    for number in range(1000):
        await part.send_audio(frame(number))
    assert not part.can_resume(again(received=1))
    assert len(part._journal) <= (KEEP_S + HEAD_START_S + 1) / FRAME_S + 1


@pytest.mark.virtual_time
async def test_a_doll_that_has_got_all_and_waits_has_asked_what_never_came() -> None:
    """Its question went into the void: there is nothing that it could wait for here."""
    first, state = FakeConnection(resumes=True), [State.SPEAKING]
    part = Delivery(first, lambda: state[0], keep_s=KEEP_S, head_start_s=HEAD_START_S)
    await part.send(Tts(state="start"))
    await part.send(Tts(state="stop"))
    state[0] = State.IDLE
    task = await lose(first, part)
    assert part.can_resume(again(received=1))
    assert not part.can_resume(again(received=2))
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_a_new_connection_wins_over_one_that_looks_alive() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    for number in range(3):
        await part.send_audio(frame(number))
    task = asyncio.create_task(part.receive())
    await asyncio.sleep(0)
    second = again(received=1)
    await part.resume(second)
    assert first.closed is not None
    assert first.closed[0] is CloseCode.REPLACED
    second.say(Abort())
    assert await task == Abort()
    await asyncio.sleep(0)
    assert shown(second) == [1, 2]
    await part.close(CloseCode.GOING_AWAY, "the test is over")


@pytest.mark.virtual_time
async def test_an_interruption_drops_what_was_to_be_sent_again() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    for number in range(100):
        await part.send_audio(frame(number))
    task = await lose(first, part)
    second = again(received=0)
    await part.resume(second)
    await asyncio.sleep(0.5)
    sent = len(second.sent)
    part.cut()
    await part.send(Tts(state="stop"))
    await asyncio.sleep(5)
    assert shown(second)[sent:] == [Tts(state="stop")]
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_a_doll_that_is_lost_while_it_is_greeted_may_come_back() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    await part.send_audio(frame(7))
    task = await lose(first, part)
    second = again(received=0)
    second.vanish()
    with pytest.raises(Disconnected):
        await second.receive()
    with pytest.raises(Disconnected):
        await part.resume(second)
    third = again(received=0)
    assert part.can_resume(third)
    await part.resume(third)
    await asyncio.sleep(0)
    assert shown(third) == [7]
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_of_two_that_come_at_once_the_later_one_is_the_doll() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    await part.send_audio(frame(7))
    task = await lose(first, part)
    slow, quick = again(received=0), again(received=0)
    slow.send_delay_s = 1.0
    greeting = asyncio.create_task(part.resume(slow))
    await asyncio.sleep(0)
    assert part.can_resume(quick)
    await part.resume(quick)
    await greeting
    assert shown(quick) == [7]
    assert shown(slow) == []
    assert slow.closed is not None
    await let_go(task, part)


@pytest.mark.virtual_time
async def test_who_comes_while_the_session_ends_is_not_left_waiting() -> None:
    first = FakeConnection(resumes=True)
    part = delivery(first)
    task = await lose(first, part)
    second = again(received=0)
    second.send_delay_s = 1.0
    greeting = asyncio.create_task(part.resume(second))
    await asyncio.sleep(0.5)
    part.end(CloseCode.GOING_AWAY, "the relay stops")
    await greeting
    assert second.closed is not None
    with pytest.raises(Disconnected):
        await task


async def drive(drops: list[tuple[int, int, float]], frames: int) -> list[Any]:
    """Send a reply; after each of `drops` (so many more messages, of which the last few are lost
    on the way, and seconds without a link) the doll comes back. What it has got in the end."""
    connection = FakeConnection(resumes=True)
    part = delivery(connection)
    got: list[Any] = []

    async def speak() -> None:
        await part.send(Tts(state="start"))
        for number in range(frames):
            await part.send_audio(frame(number))
            await asyncio.sleep(FRAME_S)
        await part.send(Tts(state="stop"))

    async def listen() -> None:
        while True:
            await part.receive()

    tasks = [asyncio.create_task(speak()), asyncio.create_task(listen())]
    for after, lost, away_s in drops:
        for _ in range(100_000):  # until so many have come, or no more will
            if len(connection.sent) >= after or tasks[0].done():
                break
            await asyncio.sleep(FRAME_S / 2)
        connection.vanish()
        got += shown(connection)[: max(0, len(connection.sent) - lost)]
        await asyncio.sleep(away_s)
        connection = again(received=len(got))
        assert part.can_resume(connection)
        await part.resume(connection)
    await tasks[0]
    await asyncio.sleep(frames * FRAME_S)
    got += shown(connection)
    await part.close(CloseCode.GOING_AWAY, "the test is over")
    tasks[1].cancel()
    await asyncio.wait(tasks)
    return got


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=60),
            st.integers(min_value=0, max_value=40),
            st.floats(min_value=0, max_value=KEEP_S - 1),
        ),
        max_size=4,
    ),
    st.integers(min_value=0, max_value=120),
)
@settings(max_examples=150, deadline=None)
def test_wherever_the_link_breaks_the_doll_gets_each_frame_once_and_in_order(
    drops: list[tuple[int, int, float]], frames: int
) -> None:
    run(lambda: drive(drops, frames), [Tts(state="start"), *range(frames), Tts(state="stop")])


def run(what: Callable[[], Awaitable[list[Any]]], expected: list[Any]) -> None:
    async def check() -> None:
        assert await what() == expected

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(check())
