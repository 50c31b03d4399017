"""Wishes that need no brain, fulfilled: they cost no quota and are answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from relay.devices.device import Device
from relay.devices.mcp import LEAST_VOLUME, VOLUME
from relay.devices.tools import ToolError
from relay.intents.finder import Wish, find
from relay.llm.local import clock, josa
from relay.llm.local.replies import last_said
from relay.persona.base import Persona
from relay.turn.calling import Calling
from relay.turn.rest import Rest

#: Where a doll does not say how loud it is.
_USUAL_VOLUME: Final = 60


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the doll says about a wish."""

    text: str
    language: str
    remembered: bool  #: it is part of the conversation: what is asked next may be about it


class Errands:
    """Those of one doll."""

    def __init__(self, device: Device, clock: Callable[[], datetime]) -> None:
        """`clock` tells the time where the doll lives."""
        self._device = device
        self._clock = clock
        self.rest = Rest()  #: what an interrupted answer had still to say

    def needs_no_brain(self, said: str, language: str) -> bool:
        """Whether `run` is likely to have an answer; does nothing."""
        return self._wish(said, language) is not None

    async def run(self, said: str, language: str) -> Spoken | None:
        """Do what was said; what to say about it, or None where it is the brain's."""
        wish = self._wish(said, language)
        if wish is None:
            return None
        match wish.name:
            case "called":
                return Spoken(self._device.line("called.here", language), language, False)
            case "repeat":
                text = last_said(self._device.conversation.history())
                return Spoken(text, language, True) if text else None
            case "go_on":
                now = asyncio.get_running_loop().time()
                rest = self.rest.take(now)
                return Spoken(rest.text, rest.language, True) if rest else None
            case "stop":
                return self._line("stop", language, remembered=False)
            case "time" | "date" | "weekday" | "sleep" | "who":
                return self._line(wish.name, language, remembered=True)
            case _:
                key = await self._volume(wish)
                return self._line(key, language, remembered=False)

    def _wish(self, said: str, language: str) -> Wish | None:
        call = calling(self._device.persona).find(said)
        if call is not None and not call.rest:
            return Wish("called")
        return find(said if call is None else call.rest, language)

    def _line(self, key: str, language: str, *, remembered: bool) -> Spoken:
        now = self._clock()
        values = {
            "time": clock.time(now, language),
            "date": clock.date(now, language),
            "weekday": clock.weekday(now, language),
            "name": self._device.persona.names_in(language)[0],
        }
        text = self._device.line(f"wish.{key}", language)
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        text = josa.resolve(text) if language == "ko" else text
        return Spoken(text[:1].upper() + text[1:], language, remembered)

    async def _volume(self, wish: Wish) -> str:
        """Set it by the doll's own tool; the key of what is said about that."""
        toolbox = self._device.toolbox
        if toolbox is None or VOLUME not in toolbox:
            return "no_volume"
        level = wish.level
        if level is None:
            speaker = (await toolbox.status()).get("audio_speaker")
            now = speaker.get("volume") if isinstance(speaker, dict) else None
            level = (now if type(now) is int else _USUAL_VOLUME) + wish.step
            level = max(level, LEAST_VOLUME)  # quieter and quieter, but never silent
        try:
            await toolbox.call_tool(VOLUME, {"volume": min(max(level, 0), 100)})
        except ToolError:
            return "no_volume"
        return {"louder": "louder", "quieter": "quieter"}.get(wish.name, "volume")


def calling(persona: Persona) -> Calling:
    """By which names a character is called, in all languages."""
    return _calling(persona.calls)


@lru_cache(maxsize=256)
def _calling(names: tuple[str, ...]) -> Calling:
    return Calling(names)
