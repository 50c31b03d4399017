"""The commands of a chat: the instruction, what was said, and forgetting it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from relay import __version__
from relay.devices.records import RegistryError
from relay.memory.records import KeptExchange, one_line
from relay.persona.prompt import in_character, words_in
from relay.recorder.shelf import Recordings
from relay.telegram.api import Api, Buttons
from relay.telegram.draft import split
from relay.telegram.home import Home
from relay.telegram.inbox import Message, Press
from relay.telegram.wording import text

#: Exchanges in a page of the history.
USUAL: Final = 10
MOST: Final = 30

#: How long the buttons under a question may be pressed.
ASKING_S: Final = 300.0

_LINE_CHARS = 300
_PAGE_UNITS = 3_900
_LAST_ID = 2**53


class Commands:
    """For all chats. Calls raise TelegramTrouble, SQLAlchemyError, and RegistryError where the
    doll is gone."""

    def __init__(self, home: Home, api: Api, now: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._api = api
        self._now = now
        self._zone = ZoneInfo(home.services.settings.persona.timezone)
        #: Chat and message of a question -> who has asked, and until when it may be answered.
        self._asking: dict[tuple[int, int], tuple[int, float]] = {}

    async def run(self, message: Message, language: str) -> None:
        """Do what a message that begins with a command says."""
        command, _, rest = message.text.partition(" ")
        name, rest = command[1:].partition("@")[0].lower(), rest.strip()
        if "\n" in name:  # "/instruction\nset …"
            name, _, rest = message.text[1:].partition("\n")
        chat = message.chat
        match name:
            case "start":
                device = await self._home.device()
                await self._api.send(chat, text(language, "start", name=device.persona.name))
            case "help":
                device = await self._home.device()
                await self._api.send(chat, text(language, "help", name=device.persona.name).strip())
            case "version":
                await self._api.send(chat, text(language, "version", version=__version__))
            case "instruction":
                await self._instruction(chat, rest, language)
            case "history":
                await self._history(chat, rest, language)
            case "clear":
                await self._ask_to_clear(message, language)
            case _:
                await self._api.send(chat, text(language, "unknown_command"))

    async def press(self, press: Press, language: str) -> None:
        """Do what a button says. Its data come back from outside: nothing of them is believed."""
        kind, _, rest = press.data.partition(":")
        first, _, second = rest.partition(":")
        numbers = first.isascii() and first.isdigit() and second.isascii() and second.isdigit()
        if kind == "history" and numbers and len(rest) < 24:
            await self._api.pressed(press.id)
            page, buttons = await self._page(min(int(first), _LAST_ID), int(second), language)
            await self._api.edit(press.chat, press.message, page, buttons)
        elif kind == "clear":
            await self._clear(press, rest, language)
        else:
            await self._api.pressed(press.id)

    async def _instruction(self, chat: int, rest: str, language: str) -> None:
        words = rest.split(maxsplit=1)
        verb = words[0].lower() if words else ""
        record = await self._home.record()
        if not verb:
            await self._show_instruction(chat, language)
        elif verb == "reset" and len(words) == 1:
            await self._home.registry.change(record.id, instruction="")
            await self._api.send(chat, text(language, "instruction_reset"))
        elif verb == "set" and len(words) == 1:
            await self._api.send(chat, text(language, "instruction_empty"))
        elif verb == "set":
            try:
                await self._home.registry.change(record.id, instruction=words[1])
            except RegistryError as error:
                if error.problem != "bad_instruction":
                    raise
                await self._api.send(chat, text(language, "instruction_bad", **error.values))
            else:
                await self._api.send(chat, text(language, "instruction_set"))
        else:
            await self._api.send(chat, text(language, "instruction_usage"))

    async def _show_instruction(self, chat: int, language: str) -> None:
        device = await self._home.device()
        persona = device.persona
        key = "instruction_own" if device.record.instruction else "instruction_persona"
        owner = persona.owner or words_in(persona.language)["nobody"]
        character = in_character(persona.character, persona.name, owner)
        head = text(language, key, persona=persona.name)
        for part in split(f"{head}\n\n{character}"):
            await self._api.send(chat, part)

    async def _history(self, chat: int, rest: str, language: str) -> None:
        if rest and not (rest.isascii() and rest.isdigit() and 1 <= int(rest[:6]) <= MOST):
            await self._api.send(chat, text(language, "history_usage", most=MOST))
            return
        page, buttons = await self._page(_LAST_ID, int(rest or USUAL), language)
        await self._api.send(chat, page, buttons)

    async def _page(self, before: int, count: int, language: str) -> tuple[str, Buttons]:
        """The newest exchanges before one, as many as a message holds, and a way to older ones."""
        record = await self._home.record()
        persona = self._home.services.persona_of(record.persona)
        await self._home.memory.flush()
        count = min(max(count, 1), MOST)
        turns = await self._home.memory.store.between(record.id, 0, before, count)
        shown: list[str] = []
        oldest = 0
        for turn in reversed(turns):
            lines = self._shown(turn, persona.name, language)
            if len(split("\n\n".join((*shown, lines)), _PAGE_UNITS)) > 1:
                break
            shown.append(lines)
            oldest = turn.id
        if not shown:
            return text(language, "history_none"), ()
        has_older = bool(await self._home.memory.store.between(record.id, 0, oldest, 1))
        older = [[(text(language, "history_older"), f"history:{oldest}:{count}")]]
        return "\n\n".join(reversed(shown)), older if has_older else ()

    def _shown(self, turn: KeptExchange, name: str, language: str) -> str:
        at = datetime.fromtimestamp(turn.at, self._zone)
        owner = text(language, "history_owner")
        lines = [f"[{at:%Y-%m-%d %H:%M}]"]
        lines += [f"{owner}: {one_line(turn.heard, _LINE_CHARS)}"] if turn.heard else []
        lines += [f"{name}: {one_line(turn.said, _LINE_CHARS)}"] if turn.said else []
        return "\n".join(lines)

    async def _ask_to_clear(self, message: Message, language: str) -> None:
        record = await self._home.record()
        await self._home.memory.flush()
        amount = await self._home.memory.store.amount(record.id)
        asked = text(language, "clear_ask", turns=amount.turns, facts=amount.facts)
        buttons = [
            [(text(language, f"clear_{what}"), f"clear:{what}") for what in ("talk", "all")],
            [(text(language, "clear_no"), "clear:no")],
        ]
        sent = await self._api.send(message.chat, asked, buttons)
        now = self._now()
        self._asking = {key: who for key, who in self._asking.items() if who[1] > now}
        self._asking[(message.chat, sent)] = (message.user, now + ASKING_S)

    async def _clear(self, press: Press, what: str, language: str) -> None:
        key = (press.chat, press.message)
        asker, until = self._asking.get(key, (0, 0.0))
        if asker and asker != press.user:
            await self._api.pressed(press.id, text(language, "not_yours"))
            return
        self._asking.pop(key, None)
        await self._api.pressed(press.id)
        if not asker or self._now() > until:
            answer = "clear_over"
        elif what in ("talk", "all"):
            await self._forget(keep_facts=what == "talk")
            answer = f"cleared_{what}"
        else:
            answer = "clear_kept"
        await self._api.edit(press.chat, press.message, text(language, answer))

    async def _forget(self, *, keep_facts: bool) -> None:
        """As the owner's page does it: for good."""
        record = await self._home.record()
        await self._home.memory.store.delete_all(record.id, keep_facts=keep_facts)
        recordings = Recordings.of(self._home.services.settings)
        await asyncio.to_thread(recordings.delete, record.id)
        await self._home.database.scrub("turns", "summaries", "facts")
