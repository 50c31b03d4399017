"""The question that is being asked: from a pause that is likely its end to what a turn answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np
from structlog.typing import FilteringBoundLogger

from relay.audio import RATE_HZ, Pcm
from relay.devices.device import Device
from relay.services import Services
from relay.stt.base import Transcript
from relay.turn.ahead import Ahead
from relay.turn.allowance import Allowance
from relay.turn.early import Early
from relay.turn.recognition import Recognition, Said

#: An utterance that is put together from several is cut to this: what recognition takes at once.
_LONGEST_SAMPLES: Final = 30 * RATE_HZ


class Asking:
    """One for a session. Text and answer are begun before the end is certain, where that pays."""

    def __init__(
        self,
        services: Services,
        device: Device,
        early: Early,
        is_meant: Callable[[Transcript], bool],
        log: FilteringBoundLogger,
    ) -> None:
        """`is_meant` is told what a pause comes to that is likely the end; whether an answer may
        begin."""
        settings = services.settings
        self._early_text = settings.turn.early_stt
        self._early = early
        self._is_meant = is_meant
        self._log = log
        self._recognition = Recognition(
            services.stt,
            device.languages,
            timeout_s=settings.turn.stt_timeout_s,
            on_early=self._on_early,
        )
        now = asyncio.get_running_loop().time
        self._allowance = Allowance(settings.limits.turns_per_min, now)
        self._carried: Pcm | None = None

    def likely_over(self, pcm: Pcm) -> None:
        """The speaker has likely finished; `pcm` is all of it."""
        if self._early_text and self._allowance.recognition():
            self._recognition.begin(self._whole(pcm))

    def goes_on(self) -> None:
        """The speaker had not."""
        self._recognition.discard()
        self._early.discard()

    def over(self, pcm: Pcm) -> Pcm:
        """The speaker has; the utterance with what was carried over."""
        pcm, self._carried = self._whole(pcm), None
        return pcm

    def carry(self, pcm: Pcm | None) -> None:
        """This was cut off unanswered: it goes before what is said next."""
        self._carried = pcm

    def text(self, pcm: Pcm) -> Said:
        """What was said, of an utterance that is over; see `Recognition.finish`."""
        return self._recognition.finish(pcm)

    def take(self, said: Said | None, pcm: Pcm | None) -> tuple[Said | None, Ahead | None]:
        """The question for a turn, if there may be one more, and what its answer may be. `said` is
        it where that is known already."""
        ahead = self._early.take()
        if self._allowance.turn():
            return (self.text(pcm) if said is None and pcm is not None else said), ahead
        self._log.warning("turn refused", limit="limits.turns_per_min")
        self._recognition.discard()
        return self._allowance.refusal(), ahead

    def forget(self) -> None:
        """What was said up to now will not be answered."""
        self._recognition.discard()
        self._early.reset()

    async def close(self) -> None:
        """The doll has gone."""
        await self._early.close()

    def _on_early(self, early: Transcript) -> None:
        if self._is_meant(early):
            self._early.heard(early.text, early.language)

    def _whole(self, pcm: Pcm) -> Pcm:
        if self._carried is None:
            return pcm
        return np.concatenate([self._carried, pcm])[-_LONGEST_SAMPLES:]
