"""Telegram's Bot API as the chat needs it, by python-telegram-bot's `Bot`.

That package and not aiogram: it takes 34 MB of RAM (aiogram 165), brings only httpx, and holds
pydantic back to no version. It is LGPL, and used as it is. Of it only the calls are used: its own
application would keep queues and tasks that are not bounded as ours are.

The token is part of every address that is asked. So no text of an error leaves this module, and
the loggers of the packages behind it are shut.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from relay.llm.extras import MissingExtraError
from relay.telegram.settings import TelegramSettings

if TYPE_CHECKING:
    from telegram import InlineKeyboardMarkup, Update

#: How long Telegram holds a question for news that has none.
POLL_S: Final = 25

_REQUEST_S = 15.0
_TRIES = 4
_FIRST_PAUSE_S = 1.0

#: A wait that Telegram asks for and that is longer is not worth the answer.
_MOST_PATIENCE_S = 60.0

_KINDS_OF_NEWS = ["message", "callback_query"]

_T = TypeVar("_T")

#: Rows of buttons under a message: (what it says, what comes back when it is pressed).
Buttons = Sequence[Sequence[tuple[str, str]]]


class Kind(StrEnum):
    """Why Telegram did not do what it was asked for."""

    RATE = "rate"  #: too many requests; `retry_after_s` says how long it wants to be left alone
    NETWORK = "network"  #: not reached, too slow, or it failed itself
    TOKEN = "token"  # noqa: S105 (a name)  #: the token is not good, or not any more
    TAKEN = "taken"  #: another program asks for the news of the same bot
    REFUSED = "refused"  #: it will not do this, however often it is asked


class TelegramTrouble(Exception):  # noqa: N818 (one of several kinds)
    """Telegram did not do what it was asked for. Holds no text of others: that may be a secret."""

    def __init__(self, kind: Kind, retry_after_s: float = 0.0, *, maybe_done: bool = False) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.maybe_done = maybe_done  #: it was sent, and nobody knows what became of it


class Api:
    """One bot. All methods raise TelegramTrouble."""

    def __init__(self, settings: TelegramSettings) -> None:
        """Raises MissingExtraError."""
        for name in ("telegram", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            import telegram
            from telegram.request import HTTPXRequest
        except ImportError as error:
            raise MissingExtraError("Telegram", "telegram", error) from None
        assert settings.token is not None

        def connections(most: int) -> HTTPXRequest:
            return HTTPXRequest(
                most, read_timeout=_REQUEST_S, write_timeout=_REQUEST_S, pool_timeout=5.0
            )

        self._telegram = telegram
        self._bot = telegram.Bot(
            settings.token.get_secret_value(),
            base_url=f"{settings.api}/bot",
            base_file_url=f"{settings.api}/file/bot",
            request=connections(8),
            get_updates_request=connections(1),
        )

    async def open(self, commands: Mapping[str, Mapping[str, str]]) -> tuple[int, str]:
        """Say hello; the bot's id and username. May be called again after a failure.

        `commands` are descriptions by command, by language; "en" is everybody else's too.
        """
        await self._asked(self._bot.initialize)
        # A webhook that an earlier program has left would keep all news from us.
        await self._asked(lambda: self._bot.delete_webhook())
        for language, described in commands.items():
            listed = list(described.items())
            code = None if language == "en" else language
            await self._asked(lambda: self._bot.set_my_commands(listed, language_code=code))  # noqa: B023
        return self._bot.id, self._bot.username

    async def updates(self, offset: int | None) -> Sequence[Update]:
        """What is new from `offset` on; waits for it up to `POLL_S`. What is before is done."""
        return await self._asked(
            lambda: self._bot.get_updates(
                offset=offset,
                timeout=POLL_S,
                allowed_updates=_KINDS_OF_NEWS,
                read_timeout=_REQUEST_S,  # on top of `timeout`
            )
        )

    async def send(
        self, chat: int, text: str, buttons: Buttons = (), *, silently: bool = False
    ) -> int:
        """Write a message, as plain text; its id."""
        sent = await self._patiently(
            lambda: self._bot.send_message(
                chat,
                text,
                reply_markup=self._markup(buttons),
                disable_notification=silently,
                link_preview_options=self._telegram.LinkPreviewOptions(is_disabled=True),
            )
        )
        return sent.message_id

    async def edit(
        self, chat: int, message: int, text: str, buttons: Buttons = (), *, once: bool = False
    ) -> None:
        """Have a message read this. `once`: not worth a second attempt."""
        call = self._asked if once else self._patiently
        try:
            await call(
                lambda: self._bot.edit_message_text(
                    text, chat, message, reply_markup=self._markup(buttons)
                )
            )
        except TelegramTrouble as trouble:
            # "message is not modified" is one of these, and what was wanted.
            if trouble.kind is not Kind.REFUSED:
                raise

    async def typing(self, chat: int) -> None:
        """Show for five seconds that the doll writes."""
        await self._asked(lambda: self._bot.send_chat_action(chat, "typing"))

    async def pressed(self, press: str, text: str = "") -> None:
        """A button does not wait any more; `text` is shown for a moment."""
        await self._asked(lambda: self._bot.answer_callback_query(press, text or None))

    async def fetch(self, file_id: str, most_bytes: int) -> bytes:
        """A file that somebody has sent."""

        async def fetched() -> bytes:
            file = await self._bot.get_file(file_id)
            if not file.file_size or file.file_size > most_bytes:
                raise TelegramTrouble(Kind.REFUSED)
            return bytes(await file.download_as_bytearray())

        return await self._patiently(fetched)

    async def send_voice(self, chat: int, ogg: bytes, *, silently: bool = False) -> None:
        """Say something."""
        await self._patiently(
            lambda: self._bot.send_voice(chat, ogg, disable_notification=silently)
        )

    async def close(self) -> None:
        """Close the connections. May be called where nothing was opened."""
        try:
            await self._bot.shutdown()
        except Exception:  # noqa: BLE001 (its text may hold the token, and we are leaving)
            return

    def _markup(self, buttons: Buttons) -> InlineKeyboardMarkup | None:
        make = self._telegram.InlineKeyboardButton
        rows = [[make(text, callback_data=data) for text, data in row] for row in buttons]
        return self._telegram.InlineKeyboardMarkup(rows) if rows else None

    async def _patiently(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Ask again where that helps, and where nothing is done twice by it."""
        pause_s = _FIRST_PAUSE_S
        for _ in range(_TRIES - 1):
            try:
                return await self._asked(call)
            except TelegramTrouble as trouble:
                waits = trouble.kind is Kind.RATE and trouble.retry_after_s <= _MOST_PATIENCE_S
                if not waits and (trouble.kind is not Kind.NETWORK or trouble.maybe_done):
                    raise
                await asyncio.sleep(trouble.retry_after_s if waits else pause_s)
                pause_s *= 3
        return await self._asked(call)

    async def _asked(self, call: Callable[[], Awaitable[_T]]) -> _T:
        errors = self._telegram.error
        try:
            return await call()
        except errors.RetryAfter as error:
            wait = error.retry_after
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            raise TelegramTrouble(Kind.RATE, seconds) from None
        except errors.InvalidToken:
            raise TelegramTrouble(Kind.TOKEN) from None
        except errors.Conflict:
            raise TelegramTrouble(Kind.TAKEN) from None
        except errors.TimedOut:
            raise TelegramTrouble(Kind.NETWORK, maybe_done=True) from None
        except (errors.BadRequest, errors.Forbidden, errors.ChatMigrated):
            raise TelegramTrouble(Kind.REFUSED) from None
        except errors.TelegramError:
            raise TelegramTrouble(Kind.NETWORK) from None
