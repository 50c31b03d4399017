"""The fixed lines of one doll: their wording, and their recordings where there are any."""

from __future__ import annotations

from datetime import datetime

from relay.devices.device import Device
from relay.llm.events import Outage
from relay.llm.policy import said
from relay.persona.wording import wordings
from relay.tts.lines import RecordedLines
from relay.tts.repertoire import Repertoire
from relay.turn.chime import thinking
from relay.turn.fillers import Sound
from relay.turn.when import when

_TONE_HZ = 16_000


class Lines:
    """Words what the doll says on its own, never the same twice in a row."""

    def __init__(self, device: Device, repertoire: Repertoire | None) -> None:
        self._device = device
        self._repertoire = repertoire

    def text(self, key: str, language: str) -> str:
        """The words of a line."""
        return self._device.line(key, language)

    def back(self, key: str, language: str, back_at: float | None, now: datetime) -> str:
        """A line that says when something is back; `back_at` is Unix time."""
        return self.text(key, language).replace("{when}", when(back_at, now, language))

    def honest(self, outage: Outage, language: str, now: datetime) -> str:
        """Why only the small brain is there, and until when; ends with a space."""
        return self.back(said(outage.trouble), language, outage.back_at, now) + " "

    async def sound(self, text: str, language: str) -> Sound | None:
        """The recording of a line."""
        there = await self._recorded()
        if there is None:
            return None
        pcm = await there.get(text, language)
        return None if pcm is None else (pcm, there.rate_hz)

    async def _recorded(self) -> RecordedLines | None:
        """All that is recorded in the doll's voice."""
        if self._repertoire is None:
            return None
        return (await self._repertoire.of(self._device.voice)).recorded

    async def filler(self, key: str, language: str) -> Sound:
        """Something to say at once: a recorded filler, or two soft notes while there is none.

        A voice that had to speak it now would only make the answer wait.
        """
        there = await self._recorded()
        texts = wordings(self._device.persona, key, language)
        ready = [text for text in texts if there is not None and there.has(text, language)]
        if len(ready) < 2:
            ready.append("")  # so that the only one is not said twice in a row
        text = self._device.choose(key, ready)
        sound = await self.sound(text, language) if text else None
        return sound or (thinking(_TONE_HZ), _TONE_HZ)
