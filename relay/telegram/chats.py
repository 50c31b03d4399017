"""The chats that are being answered: one task each while something waits in it, and no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog

from relay.telegram.api import Api, TelegramTrouble
from relay.telegram.inbox import Inbox, Message, Press

#: Chats at the same time; what comes from more is dropped. A home has a few.
MOST_CHATS: Final = 50

#: Telegram shows "typing…" for five seconds.
_TYPING_S: Final = 4.5

_log = structlog.get_logger(__name__)

Work = Callable[[list[Message] | Press], Awaitable[None]]
Flooded = Callable[[int, str], Awaitable[None]]


class Chats:
    """`work` is done on what comes, one after another in each chat; `flooded` tells a chat, in a
    language, that something was dropped."""

    def __init__(self, api: Api, work: Work, flooded: Flooded) -> None:
        self._api = api
        self._work = work
        self._tell_flooded = flooded
        self._inboxes: dict[int, Inbox] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._typing: set[int] = set()
        self._closed = False

    def put(self, item: Message | Press) -> None:
        """Take something in. Returns at once."""
        inbox = self._inboxes.get(item.chat)
        if inbox is None:
            if self._closed or len(self._inboxes) >= MOST_CHATS:
                return
            inbox = self._inboxes[item.chat] = Inbox()
        inbox.put(item)
        if item.chat not in self._tasks:
            self._tasks[item.chat] = asyncio.create_task(self._run(item.chat, inbox))

    @contextlib.contextmanager
    def types(self, chat: int) -> Iterator[None]:
        """Inside of this the chat shows "typing…", as long as that takes."""
        self._typing.add(chat)
        try:
            yield
        finally:
            self._typing.discard(chat)

    async def type_on(self) -> None:
        """Show that, for ever. One task for all chats."""
        while True:
            for chat in list(self._typing):
                with contextlib.suppress(TelegramTrouble):
                    await self._api.typing(chat)
            await asyncio.sleep(_TYPING_S)

    async def close(self) -> None:
        """Stop all of them; what was being answered is remembered as far as it was written."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, chat: int, inbox: Inbox) -> None:
        language = ""
        try:
            while inbox:
                taken = inbox.take()
                language = (taken if isinstance(taken, Press) else taken[0]).language
                await self._do(taken)
                if inbox.is_flooded():
                    with contextlib.suppress(TelegramTrouble):
                        await self._tell_flooded(chat, language)
        finally:
            del self._tasks[chat], self._inboxes[chat]

    async def _do(self, taken: list[Message] | Press) -> None:
        try:
            await self._work(taken)
        except TelegramTrouble as trouble:
            _log.warning("telegram: not sent", why=trouble.kind.value)
        except Exception:  # noqa: BLE001 (logged; a bug ends one answer, not the chat)
            _log.exception("telegram: a bug")
