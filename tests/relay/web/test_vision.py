"""A stock board is asked for a photo and posts it, over real sockets and as its firmware does
(`main/boards/common/esp32_camera.cc`); Gemini is the fake one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection

from relay import locales
from relay.devices.mcp import PHOTO
from relay.devices.sight import MAX_BODY_BYTES
from relay.gemini_server import GeminiServer
from relay.llm.admission import Link
from relay.llm.gemini import GeminiModel
from relay.quota.base import NotToday
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, serving_gemini
from tests.fakes.quota import ScriptedQuota
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket
from tests.relay.llm.contract import PATIENT

pytestmark = pytest.mark.timeout(30)

LITE = "gemini-3.5-flash-lite"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) + b"\r\n--x\r\n\xff\xd9"
ASKED = "이게 뭐야?"
SEEN = "빨간 사과네. 맛있겠다."
LOOKS = {
    "emotion": "happy",
    "reply": "어디 보자.",
    "memory_note": "",
    "actions": [{"tool": PHOTO, "question": "손에 든 것"}],
}
TOOL = {
    "name": PHOTO,
    "description": "Take a photo and explain it.",
    "inputSchema": {
        "type": "object",
        "properties": {"question": {"type": "string"}},
        "required": ["question"],
    },
}
_LINE = "----ESP32_CAMERA_BOUNDARY"


def form(jpeg: bytes, question: str = "손에 든 것") -> bytes:
    """What the firmware writes, piece by piece."""
    return (
        f'--{_LINE}\r\nContent-Disposition: form-data; name="question"\r\n\r\n{question}\r\n'
        f'--{_LINE}\r\nContent-Disposition: form-data; name="file"; filename="camera.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + (jpeg + f"\r\n--{_LINE}--\r\n".encode())


class Board:
    """Answers MCP, and shows a photo when it is asked to."""

    def __init__(self, socket: ClientConnection, mac: str) -> None:
        self._socket = socket
        self.mac = mac
        self.vision: dict[str, str] = {}
        self.jpeg = JPEG
        self.posts: list[httpx2.Response] = []
        self.before_photo: Callable[[], Any] = lambda: None
        self.sentences: list[str] = []
        self.is_ready = asyncio.Event()
        self.is_silent = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def post(self, jpeg: bytes | None = None, token: str = "", mac: str = "") -> Any:
        async def chunks() -> AsyncIterator[bytes]:
            body = form(self.jpeg if jpeg is None else jpeg)
            for at in range(0, len(body), 4096):
                yield body[at : at + 4096]

        headers = {
            "Device-Id": mac or self.mac,
            "Client-Id": "a-client",
            "Authorization": f"Bearer {token or self.vision['token']}",
            "Content-Type": f"multipart/form-data; boundary={_LINE}",
        }
        async with httpx2.AsyncClient(timeout=20) as client:
            answer = await client.post(self.vision["url"], content=chunks(), headers=headers)
        self.posts.append(answer)
        return answer

    async def ask(self, text: str = ASKED) -> list[str]:
        """The sentences of the answer to what somebody says."""
        self.sentences.clear()
        self.is_silent.clear()
        await self.say(type="listen", state="start", mode="auto")
        await self.say(type="listen", state="detect", text=text)
        await self.is_silent.wait()
        return list(self.sentences)

    async def _read(self) -> None:
        async for raw in self._socket:
            if isinstance(raw, bytes):
                continue
            message = json.loads(raw)
            if message["type"] == "mcp":
                await self._obey(message["payload"])
            elif message["type"] == "tts" and message["state"] == "sentence_start":
                self.sentences.append(message["text"])
            elif message["type"] == "tts" and message["state"] == "stop":
                self.is_silent.set()

    async def _obey(self, payload: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": payload["id"]}
        match payload["method"]:
            case "initialize":
                self.vision = payload["params"]["capabilities"].get("vision", {})
                answer["result"] = {"capabilities": {"tools": {}}}
            case "tools/list":
                answer["result"] = {"tools": [TOOL]}
                self.is_ready.set()
            case "tools/call":
                self.before_photo()
                posted = await self.post()
                if posted.status_code == 200:
                    text = {"type": "text", "text": posted.text}
                    answer["result"] = {"content": [text], "isError": False}
                else:
                    answer["error"] = {"message": "Failed to upload photo"}
        await self.say(type="mcp", payload=answer)


@asynccontextmanager
async def board(relay: Relay, mac: str = "aa:bb:cc:dd:ee:01") -> AsyncIterator[Board]:
    headers = {"Device-Id": mac, "Authorization": f"Bearer {await relay.token(mac)}"}
    async with doll_socket(relay.url, headers) as socket:
        await socket.send(json.dumps({"type": "hello", "features": {"mcp": True}}))
        assert json.loads(await socket.recv())["type"] == "hello"
        board = Board(socket, mac)
        try:
            await board.is_ready.wait()
            session = relay.dolls.session(mac)
            assert session is not None
            while PHOTO not in (session.device.toolbox or ()):
                await asyncio.sleep(0.01)
            yield board
        finally:
            board.reading.cancel()


@pytest.fixture
async def gemini() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@pytest.fixture
def quota() -> ScriptedQuota:
    return ScriptedQuota()


@pytest.fixture
async def relay(gemini: FakeGemini, quota: ScriptedQuota) -> AsyncIterator[Relay]:
    async with running() as relay:
        model = GeminiModel(GeminiServer(fakes.KEY, gemini.url), LITE, deadlines=PATIENT)
        relay.services.brain.links = (Link(model, quota, "gemini"),)
        relay.tts.seconds_per_clause = 0.1
        yield relay


def is_line(key: str, text: str) -> bool:
    return any(text in line for line in locales.variants("ko", key))


async def test_what_is_seen_is_the_rest_of_the_answer_and_is_remembered(
    relay: Relay, gemini: FakeGemini, quota: ScriptedQuota
) -> None:
    gemini.play(fakes.answer(json.dumps(LOOKS)), fakes.answer(SEEN))
    async with board(relay) as doll:
        assert " ".join(await doll.ask()) == f"어디 보자. {SEEN}"
        assert doll.posts[0].json() == {"success": True, "response": SEEN}
        session = relay.dolls.session(doll.mac)
        assert session is not None
        history = session.device.conversation.history()
    assert [picture.data for picture in gemini.asked[-1].pictures] == [JPEG]
    assert "손에 든 것" in gemini.asked[-1].turns[-1].text
    assert "차차" in gemini.asked[-1].system
    assert [message.text for message in history] == [ASKED, f"어디 보자. {SEEN}"]
    assert len(quota.granted) == 2  # the answer's request, and the photo's


async def test_the_token_is_not_the_dolls_own_and_another_one_in_each_session(
    relay: Relay,
) -> None:
    tokens = {await relay.token("aa:bb:cc:dd:ee:01")}
    for _ in range(2):
        async with board(relay) as doll:
            assert doll.vision["url"] == relay.url.replace("ws", "http", 1)[:-3] + "vision"
            tokens.add(doll.vision["token"])
    assert len(tokens) == 3
    assert (await doll.post()).status_code == 401  # it has ended with its session


async def test_a_wrong_token_and_that_of_another_doll_are_refused(
    relay: Relay, gemini: FakeGemini
) -> None:
    async with board(relay) as doll, board(relay, "aa:bb:cc:dd:ee:02") as other:
        wrong = [
            await doll.post(token="x" * 43),
            await doll.post(token=other.vision["token"]),
            await doll.post(mac=other.mac),
            await doll.post(mac="no such doll"),
        ]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text for answer in wrong}) == 1
    assert not gemini.asked


async def test_a_photo_that_nobody_asked_for_is_not_looked_at(
    relay: Relay, gemini: FakeGemini
) -> None:
    async with board(relay) as doll:
        answer = await doll.post()
    assert (answer.status_code, answer.json()["success"]) == (409, False)
    assert not gemini.asked


@pytest.mark.parametrize(
    ("jpeg", "status"),
    [(b"GIF89a", 400), (b"", 400), (JPEG + bytes(MAX_BODY_BYTES), 413)],
)
async def test_what_is_no_photo_is_told_to_the_board_and_said_by_the_doll(
    relay: Relay, gemini: FakeGemini, jpeg: bytes, status: int
) -> None:
    gemini.play(fakes.answer(json.dumps(LOOKS)))
    async with board(relay) as doll:
        doll.jpeg = jpeg
        said = await doll.ask()
        session = relay.dolls.session(doll.mac)
        assert session is not None
        history = session.device.conversation.history()
    assert [answer.status_code for answer in doll.posts] == [status]
    assert doll.posts[0].json()["message"]
    assert said[0] == "어디 보자."
    assert all(is_line("photo.failed", text) for text in said[1:])
    assert len(said) > 1
    assert history[-1].text == "어디 보자."
    assert len(gemini.asked) == 1


async def test_a_used_up_quota_is_said(
    relay: Relay, gemini: FakeGemini, quota: ScriptedQuota
) -> None:
    gemini.play(fakes.answer(json.dumps(LOOKS)))
    async with board(relay) as doll:
        doll.before_photo = lambda: quota.admissions.update({LITE: NotToday(None)})
        said = await doll.ask()
    assert doll.posts[0].status_code == 429
    assert is_line("failure.quota", said[1])
    assert len(gemini.asked) == 1


async def test_without_a_brain_that_sees_boards_are_told_of_no_vision() -> None:
    async with running() as relay, board(relay) as doll:
        assert doll.vision == {}


async def test_an_owner_who_allows_no_photos_is_obeyed(gemini: FakeGemini) -> None:
    async with running(tools={"allowed": []}) as relay:
        model = GeminiModel(GeminiServer(fakes.KEY, gemini.url), LITE, deadlines=PATIENT)
        relay.services.brain.links = (Link(model, ScriptedQuota(), "gemini"),)
        async with board(relay) as doll:
            assert doll.vision == {}
