"""The relay's side of the Model Context Protocol: a doll lists its tools, and is asked to use them.

`Rpc` is the sans-I/O half, JSON-RPC 2.0 as a client speaks it. `Toolbox` is the shell that a
session has for its doll:

    toolbox = Toolbox(delivery.send, log)
    toolbox.begin()                            # initialize, and tools/list to its last page
    toolbox.take(message.payload)              # each `mcp` message of the doll
    text = await toolbox.call_tool("self.audio_speaker.set_volume", {"volume": 40})
    toolbox.act(name, arguments)               # a wish of the brain, if the owner allows it
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from structlog.typing import FilteringBoundLogger

from relay import __version__
from relay.devices.sight import MAX_QUESTION_CHARS, Sight, read_answer
from relay.devices.tools import Tool, ToolError, read_tool
from relay.wire.errors import Disconnected
from relay.wire.messages import Mcp, clip

#: The revision of the protocol that stock boards speak.
PROTOCOL_VERSION = "2024-11-05"

MAX_OPEN = 8  #: requests that wait for their answers
MAX_TOOLS = 64
MAX_PAGES = 16
MAX_CURSOR_CHARS = 200
MAX_RESULT_CHARS = 4000

#: For an answer, in seconds. A photo is taken, sent and looked at before there is one.
LIST_S, CALL_S, PHOTO_S = 5.0, 5.0, 30.0

VOLUME = "self.audio_speaker.set_volume"  #: `volume`, 0 to 100
LEAST_VOLUME = 20  #: that is still heard on every board; firmware/doll/speaker.py: -28 dB
BRIGHTNESS = "self.screen.set_brightness"  #: `brightness`, 0 to 100
LIGHT = "self.light.set_brightness"  #: the same, of a doll of ours
THEME = "self.screen.set_theme"  #: `theme`, light or dark
PHOTO = "self.camera.take_photo"  #: `question`
STATUS = "self.get_device_status"  #: JSON: audio_speaker.volume, screen.brightness, battery …

Payload: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request: its result, or an error."""

    id: int
    result: Mapping[str, Any]
    error: str = ""


class Rpc:
    """Numbers requests, and finds the answers to those that are still open."""

    def __init__(self) -> None:
        self._last = 0
        self._open: set[int] = set()

    def request(self, method: str, params: Mapping[str, Any]) -> Payload:
        """A request to send; its `id` is open from now on. Raises ToolError when too many are."""
        if len(self._open) >= MAX_OPEN:
            raise ToolError("too many calls wait for the doll's answer")
        self._last += 1
        self._open.add(self._last)
        return {"jsonrpc": "2.0", "id": self._last, "method": method, "params": dict(params)}

    def forget(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        self._open.discard(number)

    def take(self, payload: Mapping[str, Any]) -> Answer | None:
        """The answer in a message of the doll; None for anything that was not asked for."""
        number = payload.get("id")
        if type(number) is not int or number not in self._open:
            return None
        self._open.discard(number)
        if (error := payload.get("error")) is not None:
            told = error.get("message") if isinstance(error, Mapping) else error
            return Answer(number, {}, clip(str(told), 200) or "it does not say why")
        result = payload.get("result")
        return Answer(number, result if isinstance(result, Mapping) else {})


class Toolbox:
    """The tools of one doll. Belongs to its session; calls may come from any of its tasks."""

    def __init__(
        self,
        send: Callable[[Mcp], Awaitable[None]],
        log: FilteringBoundLogger,
        allowed: Collection[str] = (),
        sight: Sight | None = None,
    ) -> None:
        """`send` may raise Disconnected; then so does every call. `allowed` are the tools that a
        brain may use; the relay itself may use all. Without `sight` there are no photos."""
        self._send = send
        self._log = log
        self._allowed = frozenset(allowed) - (frozenset() if sight else {PHOTO})
        self._sight = sight
        self._rpc = Rpc()
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._tools: dict[str, Tool] = {}
        self._work: set[asyncio.Task[None]] = set()

    def __contains__(self, name: str) -> bool:
        """Whether the doll has this tool. Before `open` is through it has none."""
        return name in self._tools

    def offered(self) -> tuple[Tool, ...]:
        """Those of its tools that a brain may use, in the doll's order."""
        return tuple(tool for tool in self._tools.values() if tool.name in self._allowed)

    def begin(self) -> None:
        """Ask for the tools, in the background; `close` ends it."""
        self._start(self.open)

    def close(self) -> None:
        """The doll has gone."""
        for task in self._work:
            task.cancel()

    async def open(self) -> None:
        """Ask for the tools. Whatever goes wrong is logged, and the doll has those that it told.

        Raises Disconnected.
        """
        try:
            await self._initialize()
            await self._list()
        except ToolError as error:
            self._log.warning("tools", why=str(error))
        self._log.info("tools", names=sorted(self._tools))

    def take(self, payload: Mapping[str, Any]) -> None:
        """A message of the doll. What nobody has asked for is passed over."""
        answer = self._rpc.take(payload)
        if answer is None:
            self._log.debug("mcp", keys=sorted(map(str, payload))[:8])
            return
        waiting = self._answers.pop(answer.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def call_tool(
        self, name: str, arguments: Mapping[str, Any] | None = None, *, timeout_s: float = 0.0
    ) -> str:
        """Let the doll do something; the text of its result, often JSON.

        Arguments are checked against what the doll has listed. Raises ToolError, or Disconnected.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"the doll has no tool {clip(name, 64)!r}")
        checked = tool.check(arguments or {})
        limit_s = timeout_s or (PHOTO_S if name == PHOTO else CALL_S)
        result = await self._ask("tools/call", {"name": name, "arguments": checked}, limit_s)
        text = _text(result)
        if result.get("isError"):
            raise ToolError(f"{name}: {clip(text, 200) or 'it failed'}")
        return text

    async def look(self, question: str, language: str) -> str:
        """Let the doll take a photo; what a brain says about it. Raises ToolError, Disconnected."""
        if self._sight is None or PHOTO not in self._allowed:
            raise ToolError("the doll may take no photos")
        with self._sight.asked(language):
            told = await self.call_tool(PHOTO, {"question": question[:MAX_QUESTION_CHARS]})
        return read_answer(told)

    def act(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Do what a brain has wished for, in the background; logged, and done only if allowed."""
        if name in self._allowed and len(self._work) < MAX_OPEN:
            self._start(partial(self._act, name, arguments))
        else:
            self._log.warning("action refused", tool=clip(name, 64))

    async def status(self) -> dict[str, Any]:
        """What the doll says about itself: volume, brightness, battery; empty if it cannot.

        Raises Disconnected.
        """
        try:
            found = json.loads(await self.call_tool(STATUS))
        except (ToolError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(_until_gone(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _act(self, name: str, arguments: Mapping[str, Any]) -> None:
        # A flat object of all tools' arguments: models fill in more than was asked for.
        known = (
            {parameter.name for parameter in self._tools[name].parameters} if name in self else ()
        )
        mine: dict[str, Any] = {
            key: arguments[key] for key in known if arguments.get(key) is not None
        }
        level = mine.get("volume", LEAST_VOLUME)
        if name == VOLUME and type(level) in (int, float) and 0 <= level < LEAST_VOLUME:
            mine["volume"] = LEAST_VOLUME  # brains err, and a silenced doll could not even say so
        try:
            await self.call_tool(name, mine)
        except ToolError as error:
            self._log.warning("action failed", tool=clip(name, 64), why=str(error))
        else:
            self._log.info("action", tool=name)

    async def _initialize(self) -> None:
        vision = {"url": self._sight.url, "token": self._sight.token} if self._sight else None
        params = {
            "protocolVersion": PROTOCOL_VERSION,
            "capabilities": {"vision": vision} if vision else {},
            "clientInfo": {"name": "talking-doll", "version": __version__},
        }
        try:
            await self._ask("initialize", params, LIST_S)
        except ToolError as error:
            # Some clients answer only servers that look at photos; they list their tools.
            self._log.debug("mcp", why=str(error))

    async def _list(self) -> None:
        cursor = ""
        for _ in range(MAX_PAGES):
            page = await self._ask("tools/list", {"cursor": cursor}, LIST_S)
            listed = page.get("tools")
            for entry in listed if isinstance(listed, list) else ():
                if (tool := read_tool(entry)) is not None and len(self._tools) < MAX_TOOLS:
                    self._tools.setdefault(tool.name, tool)
            following = page.get("nextCursor")
            if not isinstance(following, str) or not following or following == cursor:
                return
            cursor = following[:MAX_CURSOR_CHARS]
        raise ToolError(f"the list of tools has more than {MAX_PAGES} pages")

    async def _ask(
        self, method: str, params: Mapping[str, Any], timeout_s: float
    ) -> Mapping[str, Any]:
        payload = self._rpc.request(method, params)
        number: int = payload["id"]
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(Mcp(payload))
                told = await answer
        except TimeoutError:
            raise ToolError(f"the doll did not answer {method} in {timeout_s:g} s") from None
        finally:
            self._rpc.forget(number)
            self._answers.pop(number, None)
        if told.error:
            raise ToolError(f"{method}: {told.error}")
        return told.result


async def _until_gone(work: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(Disconnected):
        await work()


def _text(result: Mapping[str, Any]) -> str:
    """The texts of a result's content, as MCP has them."""
    content = result.get("content")
    texts = [
        part["text"]
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return "\n".join(texts)[:MAX_RESULT_CHARS]
