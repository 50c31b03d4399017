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
        self._ahead: Ahead | None = None  # for the question that is being asked
        self._running: list[Ahead] = []  # all that may not have ended yet
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
        self._running = [*(ahead for ahead in self._running if not ahead.over), self._ahead]

    def take(self) -> Ahead | None:
        """The question is over: what was begun for it, which is the caller's from now on."""
        ahead, self._ahead, self._begun = self._ahead, None, 0
        return ahead

    def discard(self) -> None:
        """The speaker goes on."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.discard()

    def reset(self) -> None:
        """Nobody waits for an answer any more."""
        self.discard()
        self._begun = 0

    async def close(self) -> None:
        """The doll has gone; returns when nothing runs any more, what was taken included."""
        self._ahead = None
        for ahead in self._running:
            await ahead.close()
