"""What every voice must do: inherit `TextToSpeechContract` in its test module."""

from __future__ import annotations

import asyncio
import contextlib
from typing import ClassVar

import numpy as np
import pytest

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.tts.base import TextToSpeech


async def spoken(tts: TextToSpeech, text: str, language: str = "ko") -> list[Pcm]:
    """All chunks of one clause."""
    async with contextlib.aclosing(tts.speak(text, language)) as chunks:
        return [chunk async for chunk in chunks]


class TextToSpeechContract:
    """The tests; a subclass gives the fixture `tts`, a fresh voice."""

    clauses: ClassVar[dict[str, str]] = {"ko": "안녕, 나는 인형이야.", "en": "Hello, I am a doll."}
    #: The longest chunk, so that the first frame goes out soon and stopping is prompt.
    chunk_s = 0.2

    @pytest.fixture
    def tts(self) -> TextToSpeech:
        raise NotImplementedError

    async def test_it_speaks_each_of_its_languages(self, tts: TextToSpeech) -> None:
        for language, text in self.clauses.items():
            pcm = np.concatenate(await spoken(tts, text, language))
            assert pcm.dtype == np.int16
            assert pcm.ndim == 1
            assert 0.2 < len(pcm) / tts.rate_hz < 10
            assert np.abs(pcm.astype(int)).max() > 1_000

    async def test_the_rate_is_one_that_a_doll_can_be_sent(self, tts: TextToSpeech) -> None:
        assert tts.rate_hz in (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)

    async def test_it_streams_in_short_chunks_none_of_them_empty(self, tts: TextToSpeech) -> None:
        chunks = await spoken(tts, self.clauses["ko"])
        assert len(chunks) > 1
        assert all(0 < len(chunk) <= self.chunk_s * tts.rate_hz for chunk in chunks)

    async def test_nothing_to_say_yields_nothing(self, tts: TextToSpeech) -> None:
        for text in ("", "   ", "…", "?!", "\n\t"):
            assert await spoken(tts, text) == []

    async def test_an_unknown_language_is_a_bad_request(self, tts: TextToSpeech) -> None:
        with pytest.raises(ProviderError) as caught:
            await spoken(tts, "hello", "no such language")
        assert caught.value.kind is ErrorKind.BAD_REQUEST

    async def test_several_clauses_at_once_are_all_spoken(self, tts: TextToSpeech) -> None:
        alone = np.concatenate(await spoken(tts, self.clauses["ko"]))
        together = await asyncio.gather(*(spoken(tts, self.clauses["ko"]) for _ in range(3)))
        for chunks in together:
            assert np.array_equal(np.concatenate(chunks), alone)

    async def test_closed_after_the_first_chunk_the_next_clause_is_spoken(
        self, tts: TextToSpeech
    ) -> None:
        async with contextlib.aclosing(tts.speak(self.clauses["ko"], "ko")) as chunks:
            await anext(chunks)
        assert await spoken(tts, self.clauses["en"], "en")

    async def test_cancelled_before_the_first_chunk_the_next_clause_is_spoken(
        self, tts: TextToSpeech
    ) -> None:
        call = asyncio.create_task(spoken(tts, self.clauses["ko"]))
        for _ in range(3):
            await asyncio.sleep(0)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        assert await spoken(tts, self.clauses["en"], "en")

    async def test_after_close_a_clause_is_refused(self, tts: TextToSpeech) -> None:
        await tts.close()
        with pytest.raises(ProviderError):
            await spoken(tts, self.clauses["ko"])
