"""Link over a WebSocket that does as the test tells it, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import pytest
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.testing import capture_logs

from relay.wire.errors import CloseCode, Disconnected
from relay.wire.limits import WireLimits
from relay.wire.link import DIRECT, Link

pytestmark = pytest.mark.virtual_time


class ScriptedDirect:
    """The shorter way, with messages of its own."""

    def __init__(self) -> None:
        self.heard_at = now()
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[str | bytes] = []
        self.free = True

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    def send_now(self, data: str | bytes) -> bool:
        if self.free:
            self.sent.append(data)
        return self.free


class ScriptedWebSocket:
    """Gives what is put into `incoming`, keeps what is sent; stuck, it takes nothing."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[str | bytes | tuple[int, str]] = []
        self.stuck = False
        self.broken = False
        self.scope: dict[str, Any] = {"type": "websocket"}

    def offer_direct(self) -> ScriptedDirect:
        direct = ScriptedDirect()
        self.scope["extensions"] = {DIRECT: direct}
        return direct

    async def accept(self) -> None:
        await self._deliver("accepted")

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send_text(self, data: str) -> None:
        await self._deliver(data)

    async def send_bytes(self, data: bytes) -> None:
        await self._deliver(data)

    async def close(self, code: int, reason: str) -> None:
        await self._deliver((code, reason))

    async def _deliver(self, what: str | bytes | tuple[int, str]) -> None:
        if self.broken:
            raise WebSocketDisconnect(1006)
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.append(what)


@pytest.fixture
def websocket() -> ScriptedWebSocket:
    return ScriptedWebSocket()


@pytest.fixture
def link(websocket: ScriptedWebSocket) -> Link:
    return make(websocket)


def make(websocket: ScriptedWebSocket) -> Link:
    limits = WireLimits(send_timeout_s=5, close_timeout_s=1)
    return Link(cast("WebSocket", websocket), limits, structlog.get_logger())


def now() -> float:
    return asyncio.get_running_loop().time()


async def over(call: Awaitable[object]) -> tuple[int, str]:
    with pytest.raises(Disconnected) as caught:
        await call
    return caught.value.code, caught.value.reason


def receive(link: Link, timeout_s: float = 60) -> Awaitable[str | bytes]:
    return link.receive(timeout_s, CloseCode.IDLE, "nothing came")


async def test_text_and_binary_arrive_as_what_they_are(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    websocket.incoming.put_nowait({"type": "websocket.receive", "text": "", "bytes": None})
    websocket.incoming.put_nowait({"type": "websocket.receive", "bytes": b"x"})
    assert await receive(link) == ""
    assert await receive(link) == b"x"


async def test_silence_for_too_long_closes_the_link(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    started = now()
    assert await over(receive(link, 60)) == (CloseCode.IDLE, "nothing came")
    assert now() - started == 60
    assert websocket.sent == [(CloseCode.IDLE, "nothing came")]


async def test_a_silent_device_that_answers_pings_is_given_time(
    websocket: ScriptedWebSocket,
) -> None:
    direct = websocket.offer_direct()
    link = make(websocket)
    started = now()
    waiting = asyncio.ensure_future(
        link.receive(60, CloseCode.IDLE, "nothing came", pongs_count=True)
    )
    for _ in range(10):
        await asyncio.sleep(50)
        direct.heard_at = now()
    assert (await over(waiting))[0] == CloseCode.IDLE
    assert now() - started == 10 * 50 + 60


async def test_pings_are_no_substitute_for_a_hello(websocket: ScriptedWebSocket) -> None:
    websocket.offer_direct().heard_at = now() + 1e9
    assert (await over(receive(make(websocket))))[0] == CloseCode.IDLE


async def test_a_message_takes_the_shorter_way_where_that_needs_no_wait(
    websocket: ScriptedWebSocket,
) -> None:
    direct = websocket.offer_direct()
    link = make(websocket)
    await link.send(b"one")
    direct.free = False
    await link.send("two")
    assert (direct.sent, websocket.sent) == ([b"one"], ["two"])
    direct.incoming.put_nowait({"type": "websocket.receive", "bytes": b"x"})
    assert await receive(link) == b"x"


async def test_a_receive_that_is_cancelled_loses_nothing(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    waiting = asyncio.ensure_future(receive(link))
    await asyncio.sleep(1)
    websocket.incoming.put_nowait({"type": "websocket.receive", "text": "one"})
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await receive(link) == "one"


async def test_closing_ends_a_receive_that_waits(link: Link) -> None:
    waiting = asyncio.ensure_future(receive(link, 3600))
    await asyncio.sleep(1)
    started = now()
    await link.close(CloseCode.REPLACED, "another came")
    assert await over(waiting) == (CloseCode.REPLACED, "another came")
    assert now() == started


async def test_a_device_that_does_not_read_is_given_up_on_in_bounded_time(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    websocket.stuck = True
    started = now()
    assert (await over(link.send("hello")))[0] == CloseCode.SLOW_READER
    assert now() - started == 6  # five for the message, one for the close frame
    assert (await over(receive(link)))[0] == CloseCode.SLOW_READER


@pytest.mark.parametrize("data", ["text", b"binary"])
async def test_sending_to_a_device_that_is_gone_says_so(
    link: Link, websocket: ScriptedWebSocket, data: str | bytes
) -> None:
    websocket.broken = True
    assert (await over(link.send(data)))[1] == "gone"


async def test_a_device_that_leaves_before_it_is_accepted_is_gone(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    websocket.broken = True
    assert (await over(link.accept()))[1] == "left before it was accepted"


async def test_what_the_close_frame_of_the_device_said_is_kept(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    websocket.incoming.put_nowait(
        {"type": "websocket.disconnect", "code": 4321, "reason": "my own"}
    )
    assert await over(receive(link)) == (4321, "my own")
    assert await over(link.send("late")) == (4321, "my own")
    assert websocket.sent == []


async def test_the_first_reason_is_the_one_that_counts_and_is_logged_once(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    with capture_logs() as lines:
        await link.close(CloseCode.FLOOD, "first")
        await link.close(CloseCode.IDLE, "second")
        assert await over(receive(link)) == (CloseCode.FLOOD, "first")
    assert lines == [
        {"event": "disconnected", "code": 4003, "reason": "first", "log_level": "info"}
    ]
    assert websocket.sent == [(CloseCode.FLOOD, "first")]


async def test_a_reason_is_cut_to_what_a_close_frame_holds(
    link: Link, websocket: ScriptedWebSocket
) -> None:
    await link.close(CloseCode.BAD_MESSAGES, "한" * 60)
    assert websocket.sent == [(CloseCode.BAD_MESSAGES, "한" * 41)]
