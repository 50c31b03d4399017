"""Writes one answer of the doll's into a chat, as it grows."""

from __future__ import annotations

import asyncio

from relay.telegram.api import Api, Kind, TelegramTrouble
from relay.telegram.draft import Draft, split


class Pen:
    """One answer in one chat. `silently`: the phone makes no sound."""

    def __init__(self, api: Api, chat: int, *, silently: bool) -> None:
        self._api = api
        self._chat = chat
        self._silently = silently
        self._draft = Draft(self._now())
        self._parts: list[tuple[int, str]] = []  # ids and texts of the messages that are there

    @property
    def written(self) -> str:
        """What the person can read by now."""
        return "\n".join(text for _, text in self._parts)

    @property
    def text(self) -> str:
        """What was given to write so far."""
        return self._draft.text

    async def write(self, piece: str) -> None:
        """More of the answer. What cannot be shown yet waits for what follows."""
        whole = self._draft.push(piece, self._now())
        if not whole:
            return
        try:
            await self._show(whole, last=False)
        except TelegramTrouble as trouble:
            if trouble.kind not in (Kind.RATE, Kind.NETWORK):
                raise
            self._draft.hold(self._now() + trouble.retry_after_s)

    async def finish(self) -> None:
        """That was all of it. Raises TelegramTrouble if it could not be shown."""
        if self._draft.text:
            await self._show(self._draft.text, last=True)

    async def _show(self, text: str, *, last: bool) -> None:
        for number, part in enumerate(split(text)):
            if number >= len(self._parts):
                sent = await self._api.send(self._chat, part, silently=self._silently)
                self._parts.append((sent, part))
            elif self._parts[number][1] != part:
                message, _ = self._parts[number]
                await self._api.edit(self._chat, message, part, once=not last)
                self._parts[number] = (message, part)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
