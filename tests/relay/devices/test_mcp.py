"""The relay asks a doll for its tools, and to use them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from relay.devices.mcp import (
    LEAST_VOLUME,
    MAX_OPEN,
    MAX_PAGES,
    MAX_TOOLS,
    PHOTO,
    PHOTO_S,
    VOLUME,
    Answer,
    Rpc,
    Toolbox,
)
from relay.devices.tools import ToolError
from relay.wire.errors import Disconnected
from relay.wire.messages import Mcp, encode
from tests.relay.devices.test_tools import JSON
from tests.relay.devices.test_tools import VOLUME as VOLUME_LISTED

pytestmark = pytest.mark.virtual_time


def listed(name: str) -> dict[str, Any]:
    return {"name": name, "description": "…", "inputSchema": {"type": "object", "properties": {}}}


class Board:
    """Answers as the stock firmware does, a page of tools at a time."""

    def __init__(
        self, pages: list[list[dict[str, Any]]] | None = None, allowed: tuple[str, ...] = (VOLUME,)
    ) -> None:
        self.pages = [[VOLUME_LISTED]] if pages is None else pages
        self.asked: list[dict[str, Any]] = []
        self.silent_on: set[str] = set()
        self.result: dict[str, Any] = {"content": [{"type": "text", "text": "true"}]}
        self.error: Any = None
        self.toolbox = Toolbox(self.receive, structlog.get_logger(), allowed)

    async def receive(self, message: Mcp) -> None:
        request = json.loads(encode(message))["payload"]
        self.asked.append(request)
        if request["method"] in self.silent_on:
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        if request["method"] == "tools/list":
            at = int(request["params"]["cursor"] or 0)
            result: dict[str, Any] = {"tools": self.pages[at]}
            if at + 1 < len(self.pages):
                result["nextCursor"] = str(at + 1)
        elif request["method"] == "tools/call":
            if self.error is not None:
                self.toolbox.take({**answer, "error": self.error})
                return
            result = self.result
        else:
            result = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}}
        self.toolbox.take({**answer, "result": result})


async def test_the_requests_are_those_of_the_protocol() -> None:
    board = Board()
    await board.toolbox.open()
    await board.toolbox.call_tool(VOLUME, {"volume": 40})
    initialize, listing, call = board.asked
    assert initialize["params"].pop("clientInfo")["name"] == "talking-doll"
    assert initialize == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2024-11-05", "capabilities": {}},
    }
    assert listing == {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/list",
        "params": {"cursor": ""},
    }
    assert call == {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "tools/call",
        "params": {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 40}},
    }


async def test_all_pages_are_read() -> None:
    board = Board([[listed("self.a"), listed("self.b")], [VOLUME_LISTED], [listed("self.c")]])
    await board.toolbox.open()
    assert [request["params"].get("cursor") for request in board.asked[1:]] == ["", "1", "2"]
    assert all(name in board.toolbox for name in ("self.a", "self.b", "self.c", VOLUME))
    assert [tool.name for tool in board.toolbox.offered()] == [VOLUME]


async def test_a_list_without_end_is_left_and_so_are_too_many_tools() -> None:
    pages = [[listed(f"self.t{page}.{n}") for n in range(10)] for page in range(MAX_PAGES + 5)]
    board = Board(pages, allowed=tuple(tool["name"] for page in pages for tool in page))
    await board.toolbox.open()
    assert len(board.asked) == 1 + MAX_PAGES
    assert len(board.toolbox.offered()) == MAX_TOOLS


async def test_who_does_not_answer_initialize_is_asked_for_tools_all_the_same() -> None:
    board = Board()
    board.silent_on = {"initialize"}
    await board.toolbox.open()
    assert VOLUME in board.toolbox


async def test_a_doll_that_answers_nothing_has_no_tools() -> None:
    board = Board()
    board.silent_on = {"initialize", "tools/list"}
    await board.toolbox.open()
    assert VOLUME not in board.toolbox
    with pytest.raises(ToolError, match="no tool"):
        await board.toolbox.call_tool(VOLUME, {"volume": 40})


async def test_wrong_arguments_do_not_reach_the_doll() -> None:
    board = Board()
    await board.toolbox.open()
    with pytest.raises(ToolError, match="within"):
        await board.toolbox.call_tool(VOLUME, {"volume": 900})
    assert board.asked[-1]["method"] == "tools/list"


@pytest.mark.parametrize(
    "error", [{"message": "Unknown tool"}, {"code": -1}, "broken", {"message": "x" * 9000}, [], 0]
)
async def test_an_error_of_the_doll_is_told(error: Any) -> None:
    board = Board()
    await board.toolbox.open()
    board.error = error
    with pytest.raises(ToolError) as told:
        await board.toolbox.call_tool(VOLUME, {"volume": 40})
    assert len(str(told.value)) < 300


async def test_a_result_that_is_an_error_is_one() -> None:
    board = Board()
    await board.toolbox.open()
    board.result = {"content": [{"type": "text", "text": "no speaker"}], "isError": True}
    with pytest.raises(ToolError, match="no speaker"):
        await board.toolbox.call_tool(VOLUME, {"volume": 40})


async def test_a_call_has_a_time_limit_and_leaves_nothing_behind() -> None:
    board = Board([[VOLUME_LISTED, listed(PHOTO)]])
    await board.toolbox.open()
    board.silent_on = {"tools/call"}
    now = asyncio.get_running_loop().time
    started = now()
    for _ in range(2 * MAX_OPEN):
        with pytest.raises(ToolError, match="did not answer"):
            await board.toolbox.call_tool(VOLUME, {"volume": 40}, timeout_s=1)
    assert now() - started == pytest.approx(2 * MAX_OPEN)
    started = now()
    with pytest.raises(ToolError):
        await board.toolbox.call_tool(PHOTO)
    assert now() - started == pytest.approx(PHOTO_S)


async def test_only_so_many_calls_wait_at_once() -> None:
    board = Board()
    await board.toolbox.open()
    board.silent_on = {"tools/call"}
    calls = [board.toolbox.call_tool(VOLUME, {"volume": n}) for n in range(MAX_OPEN + 1)]
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert sum("too many" in str(failure) for failure in failures) == 1


async def test_a_late_answer_and_one_that_nobody_asked_for_are_passed_over() -> None:
    board = Board()
    await board.toolbox.open()
    board.silent_on = {"tools/call"}
    with pytest.raises(ToolError):
        await board.toolbox.call_tool(VOLUME, {"volume": 40})
    for number in (1, 2, board.asked[-1]["id"], 99, True, "3", None, 3.0):
        board.toolbox.take({"jsonrpc": "2.0", "id": number, "result": {}})


async def test_a_doll_that_leaves_ends_the_call() -> None:
    async def send(_: Mcp) -> None:
        raise Disconnected(1006, "gone")

    toolbox = Toolbox(send, structlog.get_logger())
    with pytest.raises(Disconnected):
        await toolbox.open()


async def test_a_brain_may_only_do_what_the_owner_allows() -> None:
    reboot = listed("self.reboot")
    board = Board([[VOLUME_LISTED, reboot]])
    await board.toolbox.open()
    for name, arguments in (
        ("self.reboot", {}),
        ("self.upgrade_firmware", {"url": "http://evil"}),
        (VOLUME, {"volume": 900}),
        (VOLUME, {}),
        (VOLUME, {"volume": 40, "theme": None, "url": "x"}),  # what is not its own is left out
    ):
        board.toolbox.act(name, arguments)
    await asyncio.sleep(1)
    calls = [asked["params"] for asked in board.asked if asked["method"] == "tools/call"]
    assert calls == [{"name": VOLUME, "arguments": {"volume": 40}}]


async def test_a_brain_never_makes_the_doll_so_quiet_that_nobody_hears_it() -> None:
    board = Board([[VOLUME_LISTED]])
    await board.toolbox.open()
    for level in (0, 1.0, True, -5, "0"):
        board.toolbox.act(VOLUME, {"volume": level})
    await asyncio.sleep(1)
    calls = [asked["params"] for asked in board.asked if asked["method"] == "tools/call"]
    assert [call["arguments"]["volume"] for call in calls] == [LEAST_VOLUME] * 2


async def test_a_brain_that_wishes_without_end_is_bounded_and_ends_with_the_session() -> None:
    board = Board()
    await board.toolbox.open()
    board.silent_on = {"tools/call"}
    before = asyncio.all_tasks()
    for _ in range(100):
        board.toolbox.act(VOLUME, {"volume": 40})
    assert len(asyncio.all_tasks() - before) <= MAX_OPEN
    board.toolbox.close()
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before


async def test_the_status_is_read_and_a_broken_one_is_none() -> None:
    board = Board([[listed("self.get_device_status")]])
    await board.toolbox.open()
    text = '{"audio_speaker":{"volume":70},"screen":{"brightness":80}}'
    board.result = {"content": [{"type": "text", "text": text}]}
    assert (await board.toolbox.status())["audio_speaker"] == {"volume": 70}
    board.result = {"content": [{"type": "text", "text": "[" * 3000}]}
    assert await board.toolbox.status() == {}


@given(JSON, JSON, JSON)
def test_whatever_a_doll_says_is_an_answer_or_nothing(id: Any, result: Any, error: Any) -> None:  # noqa: A002
    rpc = Rpc()
    rpc.request("tools/list", {})
    answer = rpc.take({"id": id, "result": result, "error": error})
    assert answer is None or isinstance(answer, Answer)
    assert (answer is not None) == (type(id) is int and id == 1)


@given(st.lists(st.integers(0, 12), max_size=40))
def test_each_request_is_answered_once(ids: list[int]) -> None:
    rpc = Rpc()
    for _ in range(MAX_OPEN):
        rpc.request("tools/list", {})
    with pytest.raises(ToolError):
        rpc.request("tools/list", {})
    taken = [answer.id for number in ids if (answer := rpc.take({"id": number}))]
    assert len(taken) == len(set(taken))
    assert set(taken) == set(ids) & set(range(1, MAX_OPEN + 1))
