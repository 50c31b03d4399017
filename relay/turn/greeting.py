"""What a doll says when it has just been switched on: a line of its persona, and no brain is asked.

Only once for each time that it was plugged in, which the doll itself says in its hello. A link that
comes back, a restart of the relay and a restart of the doll by itself greet nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from relay import locales
from relay.devices.device import Device
from relay.errors import ProviderError
from relay.persona import Persona
from relay.turn.face import Face
from relay.turn.lines import Lines
from relay.turn.reply import Aside, Doll, Reply
from relay.wire.messages import Firmware, Tts

#: What `restart` says in a hello for "I was plugged in".
SWITCHED_ON = "power"

_LONGEST_S = 20.0

#: From which hour on it is what.
_PARTS = ((5, "morning"), (12, "day"), (18, "evening"), (22, "night"))


def is_due(firmware: Firmware | None, persona: Persona, now: datetime) -> bool:
    """Whether a doll that says this in its hello greets its owner. `now` is its local time."""
    if firmware is None or firmware.restart != SWITCHED_ON or firmware.safe:
        return False
    return persona.quiet is None or not persona.quiet.at(now)


def wordings(persona: Persona, language: str, now: datetime) -> tuple[str, ...]:
    """The greetings for this time of day: the persona's own, or else the shipped ones."""
    key = f"welcome.{part_of_day(now)}"
    own = persona.lines.get(language, {})
    return (*own.get(key, ()), *own.get("greeting", ())) or locales.variants(language, key)


def part_of_day(now: datetime) -> str:
    """morning, day, evening or night."""
    begun = [part for hour, part in _PARTS if now.hour >= hour]
    return begun[-1] if begun else _PARTS[-1][1]


class Greeting:
    """Says it, recorded where it was recorded."""

    def __init__(
        self, doll: Doll, device: Device, reply: Reply, lines: Lines, log: FilteringBoundLogger
    ) -> None:
        self._doll = doll
        self._device = device
        self._reply = reply
        self._lines = lines
        self._log = log

    async def run(self, now: datetime) -> None:
        """Returns when the last of it has gone out. A voice that fails costs only the greeting."""
        language = self._device.languages[0]
        text = self._device.choose("greeting", wordings(self._device.persona, language, now))
        self._log.info("says", line="greeting")
        await self._doll.send(Tts(state="start"))
        await Face(self._doll, self._device.persona.lights).speak()
        if (sound := await self._lines.sound(text, language)) is not None:
            await self._reply.recorded(*sound, text)
        else:
            try:
                async with asyncio.timeout(_LONGEST_S):
                    await self._reply.say(_whole(text), language)
            except (ProviderError, TimeoutError) as error:
                self._log.warning("no greeting", why=str(error) or "it took too long")
        await self._doll.send(Tts(state="stop"))


async def _whole(text: str) -> AsyncGenerator[str, None]:
    yield Aside(text)
