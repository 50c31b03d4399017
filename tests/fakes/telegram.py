"""A fake of Telegram's Bot API, over real sockets: one bot, and the people who write to it.

Faithful where it matters: an update is given out until a higher offset confirms it, the second of
two programs that ask for news gets a 409, edits that change nothing are refused, and so on.
https://core.telegram.org/bots/api
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote

from tools.fake_gemini.http import Journal, Reply, Request, Step, serving

TOKEN = "123456789:AAfake-fake_fake0123456789fakefake"
BOT = {"id": 123456789, "is_bot": True, "first_name": "ChaCha", "username": "chacha_bot"}
OWNER = 4242


class FakeTelegram:
    """`async with serving_telegram() as fake:` starts one; `fake.url` is its address."""

    def __init__(self) -> None:
        self.url = ""
        self.journal = Journal()
        self.token = TOKEN
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.messages: dict[tuple[int, int], str] = {}  #: (chat, id) -> text, as it is now
        self.order: list[tuple[int, int]] = []
        self.buttons: dict[tuple[int, int], list[list[dict[str, str]]]] = {}
        self.files: dict[str, bytes] = {}
        self.troubles: dict[str, deque[Reply]] = {}  #: by method: what it answers first
        self.others_poll = False
        self._updates: deque[dict[str, Any]] = deque()
        self._next_update, self._next_message = 700, 1
        self._changed, self._news = asyncio.Event(), asyncio.Event()
        self._polls = 0

    # What people do.

    def write(
        self, text: str = "", *, user: int = OWNER, kind: str = "message", **more: Any
    ) -> int:
        """Somebody writes to the bot; the id of the update."""
        body = {
            "message_id": self._message_id(),
            "date": 1_790_000_000,
            "chat": {"id": user, "type": "private", "first_name": "진주"},
            "from": self._user(user),
            **({"text": text} if text else {}),
            **more,
        }
        return self._put({kind: body})

    def speak(self, ogg: bytes, seconds: int, *, user: int = OWNER) -> int:
        """Somebody sends a voice message."""
        name = f"voice{len(self.files)}"
        self.files[name] = ogg
        voice = {"file_id": name, "file_unique_id": name, "duration": seconds}
        return self.write(user=user, voice={**voice, "file_size": len(ogg)})

    def press(self, label: str, *, user: int = OWNER, chat: int = OWNER) -> int:
        """Somebody presses the newest button that says this."""
        for key in reversed(self.order):
            for row in self.buttons.get(key, []):
                for button in row:
                    if button["text"] == label and key[0] == chat:
                        return self.press_data(button["callback_data"], key, user=user)
        raise AssertionError(f"no button {label!r}")

    def press_data(self, data: str, key: tuple[int, int], *, user: int = OWNER) -> int:
        message = {
            "message_id": key[1],
            "date": 1_790_000_000,
            "chat": {"id": key[0], "type": "private"},
        }
        query = {"id": f"q{self._next_update}", "from": self._user(user), "chat_instance": "1"}
        return self._put({"callback_query": {**query, "message": message, "data": data}})

    def texts(self, chat: int = OWNER) -> list[str]:
        """What the bot has written there, as it reads now."""
        return [self.messages[key] for key in self.order if key[0] == chat]

    def called(self, method: str) -> list[dict[str, str]]:
        """The calls of one method so far."""
        return [given for name, given in self.calls if name == method]

    async def until(self, what: Any) -> None:
        """Wait until `what()` is true; looked at after each call."""
        async with asyncio.timeout(30):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    # The API.

    async def handle(self, request: Request) -> Reply:
        target = unquote(request.target)
        head, _, path = target.removeprefix("/file").removeprefix("/bot").partition("/")
        if head != self.token:
            return error(401, "Unauthorized")
        if target.startswith("/file/"):
            return Reply(content_type="application/octet-stream", body=(self.files[path],))
        kind = request.headers.get("content-type", "")
        body = request.body.decode("utf-8", "replace") if "urlencoded" in kind else ""
        given = {key: values[0] for key, values in parse_qs(body).items()}
        method = path.split("?")[0]
        self.calls.append((method, given))
        try:
            if self.troubles.get(method):
                return self.troubles[method].popleft()
            answer = getattr(self, f"_{method}", None)
            if answer is None:
                return ok(True)
            reply: Reply = await answer(given)
            return reply
        finally:
            self._changed.set()

    async def _getMe(self, _: dict[str, str]) -> Reply:  # noqa: N802
        return ok(BOT)

    async def _getUpdates(self, given: dict[str, str]) -> Reply:  # noqa: N802
        if self.others_poll or self._polls:
            return error(409, "Conflict: terminated by other getUpdates request")
        if "offset" in given:
            while self._updates and self._updates[0]["update_id"] < int(given["offset"]):
                self._updates.popleft()
        self._polls += 1
        try:
            async with asyncio.timeout(0.2 if given.get("timeout") else 0):
                while not self._updates:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        finally:
            self._polls -= 1
        return ok(list(self._updates)[:100])

    async def _sendMessage(self, given: dict[str, str]) -> Reply:  # noqa: N802
        if not given.get("text") or len(given["text"].encode("utf-16-le")) > 8192:
            return error(400, "Bad Request: message is too long or empty")
        assert "parse_mode" not in given, "what people and models say is plain text"
        key = (int(given["chat_id"]), self._message_id())
        self.order.append(key)
        return self._written(key, given)

    async def _editMessageText(self, given: dict[str, str]) -> Reply:  # noqa: N802
        key = (int(given["chat_id"]), int(given["message_id"]))
        if key not in self.messages:
            return error(400, "Bad Request: message to edit not found")
        if self.messages[key] == given["text"] and self.buttons.get(key, []) == _rows(given):
            return error(400, "Bad Request: message is not modified")
        return self._written(key, given)

    async def _sendVoice(self, _: dict[str, str]) -> Reply:  # noqa: N802
        chat = {"id": OWNER, "type": "private"}
        return ok({"message_id": self._message_id(), "date": 1_790_000_000, "chat": chat})

    async def _getFile(self, given: dict[str, str]) -> Reply:  # noqa: N802
        name = given["file_id"]
        size = len(self.files[name])
        return ok({"file_id": name, "file_unique_id": name, "file_size": size, "file_path": name})

    def _written(self, key: tuple[int, int], given: dict[str, str]) -> Reply:
        self.messages[key] = given["text"]
        self.buttons[key] = _rows(given)
        chat = {"id": key[0], "type": "private"}
        return ok(
            {"message_id": key[1], "date": 1_790_000_000, "chat": chat, "text": given["text"]}
        )

    def _put(self, update: dict[str, Any]) -> int:
        self._next_update += 1
        self._updates.append({"update_id": self._next_update, **update})
        self._news.set()
        return self._next_update

    def _message_id(self) -> int:
        self._next_message += 1
        return self._next_message

    @staticmethod
    def _user(user: int) -> dict[str, Any]:
        name = {"first_name": "진주", "username": f"person_{user}"}
        return {"id": user, "is_bot": False, "language_code": "ko", **name}


@asynccontextmanager
async def serving_telegram() -> AsyncIterator[FakeTelegram]:
    fake = FakeTelegram()
    async with serving(fake.handle, fake.journal) as url:
        fake.url = url
        yield fake


def ok(result: object) -> Reply:
    return Reply(body=(json.dumps({"ok": True, "result": result}).encode(),))


def error(status: int, description: str, **parameters: object) -> Reply:
    body = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Reply(status, body=(json.dumps(body).encode(),))


def gone() -> Reply:
    """The network: the request is taken, and the connection cut."""
    return Reply(status=None, body=(Step.DROP,))


def _rows(given: dict[str, str]) -> list[list[dict[str, str]]]:
    rows: list[list[dict[str, str]]] = json.loads(given.get("reply_markup", "{}")).get(
        "inline_keyboard", []
    )
    return rows
