"""The doll in Telegram: asks for news, and has each chat answered.

Long polling: the relay needs no address that others reach. Run it in one task; several relays with
one token take turns, since Telegram gives the news to one of them only.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.devices.records import RegistryError
from relay.dolls import Dolls
from relay.services import Services
from relay.store.database import Database
from relay.telegram.api import Api, Kind, TelegramTrouble
from relay.telegram.chats import Chats
from relay.telegram.commands import Commands
from relay.telegram.home import Home
from relay.telegram.inbox import Message, Press
from relay.telegram.incoming import incoming
from relay.telegram.offsets import Offsets
from relay.telegram.people import People
from relay.telegram.strangers import Strangers
from relay.telegram.talk import Talk
from relay.telegram.voice import MOST_SECONDS
from relay.telegram.wording import commands, text

if TYPE_CHECKING:
    from telegram import Update

#: Pauses after failures in a row, in seconds; the last one goes on.
_PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)

#: Another program has the news: it may be this relay's predecessor, which is about to end.
_TAKEN_S: Final = 15.0

_log = structlog.get_logger(__name__)


class TelegramBot:
    """One for the relay. `run` it, and `close` it in the end."""

    def __init__(self, services: Services, dolls: Dolls, database: Database) -> None:
        """Raises MissingExtraError."""
        settings = services.settings.telegram
        self._services = services
        self._database = database
        self._api = Api(settings)
        self._home = Home(services, database, dolls.registry, dolls.memory)
        self._people = People(database, settings.allowed)
        self._strangers = Strangers()
        self._commands = Commands(self._home, self._api)
        self._chats = Chats(self._api, self._do, self._tell_flooded)
        self._failures = 0
        self._trouble = ""  # as it was logged last
        self._closed = False

    async def run(self) -> None:
        """Answer for ever; returns only if Telegram does not take the token."""
        typing = asyncio.create_task(self._chats.type_on())
        try:
            await self._run()
        except TelegramTrouble as trouble:  # the only kind that gets here
            _log.error(
                "telegram: the token is not good; set telegram.token", why=trouble.kind.value
            )
        finally:
            typing.cancel()
            await asyncio.wait((typing,))

    async def close(self) -> None:
        """Stop the chats and close the connections."""
        self._closed = True
        await self._chats.close()
        await self._api.close()

    async def _run(self) -> None:
        offsets: Offsets | None = None
        following: int | None = None
        while True:
            try:
                if offsets is None:
                    bot, name = await self._api.open(commands())
                    found = Offsets(self._database, bot)
                    await found.load()
                    offsets = found
                    _log.info("telegram", bot=name)
                updates = await self._api.updates(following)
                if updates:
                    new = [update for update in updates if offsets.is_new(update.update_id)]
                    following = max(update.update_id for update in updates) + 1
                    await offsets.take(following - 1)
                    for update in new:
                        await self._dispatch(update)
                self._well()
            except TelegramTrouble as trouble:
                await self._wait(trouble)
            except (SQLAlchemyError, OSError) as error:
                self._tell(type(error).__name__)
                await asyncio.sleep(_PAUSES_S[2])

    async def _wait(self, trouble: TelegramTrouble) -> None:
        """Until it makes sense to ask again. Raises where it makes none any more."""
        if trouble.kind is Kind.TOKEN:
            raise trouble
        self._tell(trouble.kind.value)
        pause_s = _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
        self._failures += 1
        if trouble.kind is Kind.TAKEN:
            pause_s = _TAKEN_S
        await asyncio.sleep(max(pause_s, trouble.retry_after_s))

    def _tell(self, why: str) -> None:
        """Log a trouble, once however long it lasts."""
        if why != self._trouble and not self._closed:
            self._trouble = why
            hint = "another program asks for the news of this bot" if why == Kind.TAKEN else ""
            _log.warning("telegram: no news", why=hint or why)

    def _well(self) -> None:
        if self._trouble:
            _log.info("telegram: well again")
        self._trouble, self._failures = "", 0

    async def _dispatch(self, update: Update) -> None:
        """Have one piece of news answered, if its sender may have that. Raises SQLAlchemyError."""
        item = incoming(update)
        user = update.effective_user
        if item is None or user is None:
            return
        may = await self._people.may_write(user.id, user.username or "")
        now = asyncio.get_running_loop().time()
        if isinstance(item, Message):
            problem = item.problem if may or item.problem == "no_groups" else "stranger"
            if problem == "stranger" and (code := _code(item)) and self._strangers.may_try(now):
                linked = await self._people.link(code, user.id, user.full_name)
                problem = "linked" if linked else "bad_code"
            item = Message(
                item.id, item.chat, item.user, item.language, item.text, item.voice, problem
            )
            is_told_rarely = problem in ("stranger", "bad_code", "no_groups")
            may = problem == "linked" or (may and problem != "no_groups")
            if is_told_rarely and self._strangers.may_tell(item.chat, now):
                may = True
        if may:
            self._chats.put(item)

    async def _do(self, taken: list[Message] | Press) -> None:
        first = taken if isinstance(taken, Press) else taken[0]
        language = first.language or self._services.persona_of("").language
        try:
            if isinstance(taken, Press):
                await self._commands.press(taken, language)
            elif taken[0].problem:
                await self._api.send(taken[0].chat, await self._explained(taken[0], language))
            elif taken[0].is_command:
                await self._commands.run(taken[0], language)
            else:
                with self._chats.types(first.chat):
                    with contextlib.suppress(TelegramTrouble):
                        await self._api.typing(first.chat)
                    device = await self._home.device()
                    await Talk(self._services, self._api, device, first.chat).answer(taken)
        except RegistryError as error:
            _log.error("telegram: telegram.doll is not there", problem=error.problem)
            await self._api.send(first.chat, text(language, "no_doll"))
        except (SQLAlchemyError, OSError) as error:
            _log.error("database", why=type(error).__name__)
            await self._api.send(first.chat, text(language, "no_database"))

    async def _explained(self, message: Message, language: str) -> str:
        name = ""
        if message.problem == "linked":
            name = (await self._home.device()).persona.name
        return text(language, message.problem, id=message.user, seconds=MOST_SECONDS, name=name)

    async def _tell_flooded(self, chat: int, language: str) -> None:
        await self._api.send(chat, text(language, "flooded"))


def _code(message: Message) -> str:
    """What stands behind /start, if anything does."""
    command, _, code = message.text.partition(" ")
    return code.strip()[:64] if command.lower() == "/start" else ""
