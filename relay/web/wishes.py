"""What an owner's page asks of a doll that is here, at this worker or at another one."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from relay.devices.mcp import VOLUME
from relay.devices.tools import ToolError
from relay.dolls import Dolls
from relay.live.overview import Overview
from relay.wire.errors import Disconnected

WISH: Final = "doll.wish"

#: A doll has five seconds for an answer; the way there and back takes little.
_WISH_S: Final = 8.0

Problem = Literal["", "not_here", "no_volume", "not_done", "no_updates", "nothing_newer"]


class Wish(msgspec.Struct, frozen=True):
    """One wish of an owner."""

    device_id: Annotated[str, Meta(max_length=128)]
    what: Literal["volume", "update"]
    volume: Annotated[int, Meta(ge=0, le=100)] = 0


class Done(msgspec.Struct, frozen=True):
    """How it went; without a problem it was done."""

    problem: Problem = ""


class Wishes:
    """Fulfils them: those of dolls that are here, and those that other workers send."""

    def __init__(self, dolls: Dolls, overview: Overview) -> None:
        self._dolls = dolls
        self._overview = overview
        if dolls.cluster is not None:
            dolls.cluster.bus.serve(WISH, Wish, self._for_another)

    async def fulfil(self, wish: Wish) -> Problem:
        """Have a doll do it, wherever it is; what is wrong, if it was not done."""
        if self._dolls.is_here(wish.device_id) or self._dolls.cluster is None:
            return await self._here(wish)
        done = await self._dolls.cluster.ask_its_worker(
            wish.device_id, WISH, wish, Done, timeout_s=_WISH_S
        )
        return "not_here" if done is None else done.problem

    async def _for_another(self, _: str, wish: Wish) -> Done:
        return Done(await self._here(wish))

    async def _here(self, wish: Wish) -> Problem:
        return await (self._volume(wish) if wish.what == "volume" else self._update(wish))

    async def _volume(self, wish: Wish) -> Problem:
        session = self._dolls.session(wish.device_id)
        if session is None:
            return "not_here"
        toolbox = session.device.toolbox
        if toolbox is None or VOLUME not in toolbox:
            return "no_volume"
        try:
            await toolbox.call_tool(VOLUME, {"volume": wish.volume})
        except (ToolError, Disconnected):
            return "not_done"
        await self._overview.here.ask(wish.device_id, session)
        return ""

    async def _update(self, wish: Wish) -> Problem:
        session = self._dolls.session(wish.device_id)
        if session is None:
            return "not_here"
        updater = session.upkeep.updater
        if updater is None or updater.standing is None:
            return "no_updates"
        return "" if updater.ask() else "nothing_newer"
