"""When an answer may begin before its question is certainly over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from relay.devices.device import Device
from relay.hearing.finished import Reading, read
from relay.services import Services
from relay.turn.ahead import Ahead
from relay.turn.errands import Errands
from relay.turn.question import question

#: Answers that are begun for one question; a speaker who pauses more often is waited for.
_MOST: Final = 2


class Early:
    """One doll's."""

    def __init__(
        self, services: Services, device: Device, errands: Errands, clock: Callable[[], datetime]
    ) -> None:
        self._services = services
        self._device = device
        self._errands = errands
        self._clock = clock
        self._ahead: Ahead | None = None
        self._begun = 0

    def heard(self, text: str, language: str) -> None:
        """This is what was said if the speaker has finished, which is likely."""
        settings = self._services.settings.turn
        if not settings.early_answer or not text or self._begun >= _MOST:
            return
        if read(text, language) < Reading.LIKELY:
            return
        if settings.local_wishes and self._errands.needs_no_brain(text, language):
            return
        self.discard()
        self._begun += 1
        request = question(self._device, text, language, self._clock())
        self._ahead = Ahead(self._services.brain, request, self._device.id)

    def take(self) -> Ahead | None:
        """The question is over: what was begun for it, which is the caller's from now on."""
        self._begun = 0
        return self._ahead

    def discard(self) -> None:
        """The speaker goes on."""
        if self._ahead is not None:
            self._ahead.discard()

    def reset(self) -> None:
        """Nobody waits for an answer any more."""
        self.discard()
        self._begun = 0

    async def close(self) -> None:
        """The same; returns when nothing runs any more."""
        if self._ahead is not None:
            await self._ahead.close()
