"""Speech to text that goes on with another recogniser when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from relay.audio import Pcm
from relay.errors import ProviderError
from relay.failover import CoolDown, Order
from relay.stt.base import SpeechToText, Transcript

_log = structlog.get_logger(__name__)


class FallbackSpeechToText:
    """Several recognisers as one: an utterance that one fails on goes to the next, whole."""

    def __init__(
        self, recognisers: list[tuple[str, SpeechToText]], cool_down: CoolDown | None = None
    ) -> None:
        """`recognisers` have their names, the preferred one first. They are closed with this."""
        self._order = Order(recognisers, cool_down)

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        """See `SpeechToText.transcribe`. When all fail, the error is that of the first asked."""
        clock = asyncio.get_running_loop().time
        first: ProviderError | None = None
        for member in self._order.at(clock()):
            try:
                transcript = await member.provider.transcribe(utterance, languages)
            except ProviderError as error:
                rest_s = self._order.failed(member, error, clock())
                _log.warning(
                    "ear failed",
                    stt=member.name,
                    kind=error.kind,
                    why=error.message,
                    rests_s=rest_s,
                )
                first = first or error
            else:
                self._order.worked(member)
                return transcript
        assert first is not None
        raise first

    async def close(self) -> None:
        """See `SpeechToText.close`. Each is closed, whatever the others do."""
        await asyncio.gather(
            *(member.provider.close() for member in self._order.members), return_exceptions=True
        )
