"""The face of a doll in one turn: stock boards draw it, our doll's light takes its colour."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import msgspec

from relay.llm.emotions import NAMES
from relay.turn.reply import Doll
from relay.wire.messages import Emotion, Llm

_THINKING, _NEUTRAL = "thinking", "neutral"


class Face:
    """Sends at most one `llm` message for a wait, and one for the answer."""

    def __init__(self, doll: Doll, lights: Mapping[str, int] = MappingProxyType({})) -> None:
        """`lights` are the colours that the persona's feelings have, where it gives any."""
        self._doll = doll
        self._lights = lights
        self._thinks = False
        self._feels = False

    async def think(self) -> None:
        """The answer takes its time."""
        if not self._thinks and not self._feels:
            self._thinks = True
            await self._show(_THINKING)

    async def feel(self, emotion: str) -> None:
        """How the answer feels; the first one counts, and names that nobody knows do not."""
        if not self._feels and emotion in NAMES:
            self._feels = True
            await self._show(emotion)

    async def speak(self) -> None:
        """Words come: whoever has thought up to now does so no more."""
        if self._thinks and not self._feels:
            await self.feel(_NEUTRAL)

    async def _show(self, emotion: str) -> None:
        light = self._lights.get(emotion, msgspec.UNSET)
        await self._doll.send(Llm(cast("Emotion", emotion), NAMES[emotion], light))
