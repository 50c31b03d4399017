"""Text to speech that goes on with another voice when one fails, also in the middle of a clause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
import structlog

from relay.audio import Pcm
from relay.errors import ProviderError
from relay.failover import CoolDown, Member, Order
from relay.resample import Resampler
from relay.tts.base import TextToSpeech
from relay.tts.polish import FADE_IN_S, fade

#: Owners change personas, and with them voices; those of today are learned anew in a clause.
_MOST_PACES = 256

_log = structlog.get_logger(__name__)


class FallbackTextToSpeech:
    """Several voices as one.

    Where a voice breaks off, the next one speaks the same clause and is heard from that place on:
    nothing is said twice. The place is told by time, measured by how fast either voice speaks.
    """

    def __init__(
        self, voices: list[tuple[str, TextToSpeech]], cool_down: CoolDown | None = None
    ) -> None:
        """`voices` have their names, the preferred one first. They are closed with this."""
        self._order = Order(voices, cool_down)
        # Seconds that a character takes, by provider and voice.
        self._pace: dict[tuple[str, str], float] = {}

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`. That of the preferred voice; others are resampled."""
        return self.preferred.rate_hz

    @property
    def preferred(self) -> TextToSpeech:
        """The first of them, alone: for what is kept, where another voice would stay."""
        return self._order.members[0].provider

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. When all fail, the error is that of the first asked.

        All are asked for `voice`: the same names may be known to several.
        """
        clock = asyncio.get_running_loop().time
        failure: ProviderError | None = None
        spoken = 0  # samples, at `rate_hz`
        broken_off = ""  # the voice that spoke them
        for member in self._order.at(clock()):
            skipped = 0
            if spoken:
                skipped = round(spoken * self._compared((member.name, voice), (broken_off, voice)))
            heard = 0
            try:
                async with aclosing(self._clause(member, text, language, voice, skipped)) as chunks:
                    async for chunk in chunks:
                        heard += len(chunk)
                        yield chunk
            except ProviderError as error:
                rest_s = self._order.failed(member, error, clock())
                _log.warning(
                    "voice failed", tts=member.name, kind=error.kind, why=error.message,
                    spoken_s=round((spoken + heard) / self.rate_hz, 1), rests_s=rest_s,
                )  # fmt: skip
                failure = failure or error
            else:
                self._order.worked(member)
                if not skipped:
                    self._learn((member.name, voice), text, heard)
                return
            if heard:
                spoken, broken_off = skipped + heard, member.name
        assert failure is not None
        raise failure

    async def _clause(
        self, member: Member[TextToSpeech], text: str, language: str, voice: str, skipped: int
    ) -> AsyncGenerator[Pcm, None]:
        """What `member` says at `rate_hz`, without its first samples."""
        resampler = Resampler(member.provider.rate_hz, self.rate_hz)
        joins = skipped > 0
        async with aclosing(member.provider.speak(text, language, voice)) as chunks:
            async for chunk in chunks:
                pcm = resampler.push(chunk)
                skipped, pcm = max(0, skipped - len(pcm)), pcm[skipped:]
                if len(pcm):
                    yield self._faded(pcm) if joins else pcm
                    joins = False
        rest = resampler.flush()[skipped:]
        if len(rest):
            yield rest

    def _faded(self, pcm: Pcm) -> Pcm:
        """Begun in the middle of a word, without a click."""
        samples = pcm.astype(np.float64)
        fade(samples[: round(FADE_IN_S * self.rate_hz)])
        return samples.astype(np.int16)

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`. What the preferred one knows: others only stand in."""
        return self.preferred.knows(voice)

    def _compared(self, one: tuple[str, str], other: tuple[str, str]) -> float:
        """How long a voice takes for what another says in a second."""
        if one not in self._pace or other not in self._pace:
            return 1.0
        return self._pace[one] / self._pace[other]

    def _learn(self, who: tuple[str, str], text: str, samples: int) -> None:
        """Keep how fast a voice speaks: the mean of its clauses, the newest one counts for a fifth.

        Short ones say more about pauses than about speech.
        """
        characters = sum(character.isalnum() for character in text)
        if characters >= 5:
            pace = samples / self.rate_hz / characters
            known = self._pace.get(who, pace)
            if len(self._pace) >= _MOST_PACES:
                self._pace.clear()
            self._pace[who] = known + (pace - known) / 5

    async def close(self) -> None:
        """See `TextToSpeech.close`. Each is closed, whatever the others do."""
        await asyncio.gather(
            *(member.provider.close() for member in self._order.members), return_exceptions=True
        )
