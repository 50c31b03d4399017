"""What every voice behind a network shares: one clause, bounded, evened and in short chunks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Final

import numpy as np

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.languages import is_code
from relay.resample import Resampler
from relay.streaming import Deadlines, bounded
from relay.tts.flow import ClauseFlow, Level
from relay.tts.formats import Decoder
from relay.tts.polish import pause_after
from relay.tts.unknown import UnknownVoices

#: No clause is longer than this many characters, nor sounds longer than this.
LONGEST_TEXT: Final = 1_000
LONGEST_S: Final = 60.0

#: A chunk is short, so that the first frame goes out at once and stopping is prompt.
CHUNK_S: Final = 0.1

#: First sound, gaps, and the whole clause: a doll that waits longer seems dead.
DEADLINES: Final = Deadlines(first_s=6.0, gap_s=4.0, total_s=60.0)


class RemoteVoice:
    """Takes the samples of one request and makes the speech of one clause of them."""

    def __init__(self, service: str, rate_hz: int, deadlines: Deadlines | None = None) -> None:
        """`rate_hz` is that of what is given out, whatever the service sends."""
        self.service = service
        self.rate_hz = rate_hz
        self._deadlines = deadlines or DEADLINES
        self._levels: defaultdict[str, Level] = defaultdict(Level)
        self.unknown = UnknownVoices(service)
        self._closed = False

    def speakable(self, text: str, language: str) -> str:
        """`text` as it is sent; empty when there is nothing to say.

        Raises ProviderError: SERVER when closed, BAD_REQUEST for what is no language.
        """
        if self._closed:
            raise ProviderError(ErrorKind.SERVER, f"The voice of {self.service} is closed.")
        if not is_code(language):
            raise ProviderError(
                ErrorKind.BAD_REQUEST, f"{language!r} is no language; give an ISO 639-1 code."
            )
        text = text.strip()[:LONGEST_TEXT]
        return text if any(character.isalnum() for character in text) else ""

    async def clause(
        self, samples: AsyncGenerator[bytes, None], text: str, voice: str
    ) -> AsyncGenerator[Pcm, None]:
        """Stream the speech of `text` in short chunks at `rate_hz`, evened and faded.

        `samples` is one request: 16-bit samples in this machine's order, at `rate_hz`. It is
        closed, and the request ended, when this is. Raises ProviderError: what `samples` raised,
        NETWORK past a deadline, SERVER for silence.
        """
        level = self._levels[voice]
        flow = ClauseFlow(self.rate_hz, level.gain)
        limit = round(LONGEST_S * self.rate_hz) * 2
        pieces = bounded(samples, self._deadlines, service=self.service, limit=limit)
        async with aclosing(pieces):
            async for piece in pieces:
                for chunk in self._chunks(flow.push(np.frombuffer(piece, np.int16))):
                    yield chunk
        for chunk in self._chunks(flow.finish(pause_after(text))):
            yield chunk
        if not flow.sounded:
            raise ProviderError(ErrorKind.SERVER, f"{self.service} answered with silence.")
        flow.teach(level)

    async def clause_by(
        self,
        ask: Callable[[str], AsyncGenerator[bytes, None]],
        text: str,
        voice: str,
        default: str,
    ) -> AsyncGenerator[Pcm, None]:
        """Stream `clause` by the request `ask(voice)`, or by `ask(default)` if that is refused.

        Services refuse a voice that they do not have in as many ways as there are services. That
        it was the voice, and not the text, shows when the default is taken; it is then asked for
        no more for a while.
        """
        now = asyncio.get_running_loop().time
        refused = False
        if voice and voice != default and self.unknown.worth_asking(voice, now()):
            heard = False
            try:
                async with aclosing(self.clause(ask(voice), text, voice)) as chunks:
                    async for chunk in chunks:
                        heard = True
                        yield chunk
            except ProviderError as error:
                if heard or error.kind is not ErrorKind.BAD_REQUEST:
                    raise
                refused = True
            else:
                self.unknown.found(voice)
                return
        async with aclosing(self.clause(ask(default), text, default)) as chunks:
            async for chunk in chunks:
                if refused:
                    self.unknown.missed(voice, now())
                    refused = False
                yield chunk

    def _chunks(self, pcm: Pcm) -> Iterator[Pcm]:
        step = round(CHUNK_S * self.rate_hz)
        for start in range(0, len(pcm), step):
            yield pcm[start : start + step]

    def close(self) -> None:
        """Refuse clauses from now on. May be called again."""
        self._closed = True


class SampleStream:
    """From what a service sends to samples at the rate of its voice."""

    def __init__(self, decoder: Decoder, rate_hz: int) -> None:
        self._decoder = decoder
        self._rate_hz = rate_hz
        self._resampler: Resampler | None = None

    def push(self, data: bytes) -> bytes:
        """Raises FormatError."""
        return self._resampled(self._decoder.push(data)).tobytes()

    def flush(self) -> bytes:
        """The rest. Nothing may be pushed after it. Raises FormatError."""
        rest = self._resampled(self._decoder.flush())
        if self._resampler is not None:
            rest = np.concatenate((rest, self._resampler.flush()))
        return rest.tobytes()

    def _resampled(self, pcm: Pcm) -> Pcm:
        if self._resampler is None and self._decoder.rate_hz is not None:
            self._resampler = Resampler(self._decoder.rate_hz, self._rate_hz)
        return pcm if self._resampler is None else self._resampler.push(pcm)
