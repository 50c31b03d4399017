"""The fake voice keeps the contract, so that a test with it says something about real ones."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from tests.fakes.tts import FakeTextToSpeech
from tests.relay.tts.contract import TextToSpeechContract, spoken


class TestFakeTextToSpeech(TextToSpeechContract):
    @pytest.fixture
    def tts(self) -> FakeTextToSpeech:
        return FakeTextToSpeech()


async def test_a_clause_sounds_as_long_as_asked() -> None:
    tts = FakeTextToSpeech(seconds_per_clause=0.25, rate_hz=24_000)
    assert len(np.concatenate(await spoken(tts, "안녕"))) == 6_000
    assert (tts.finished, tts.stopped) == (1, 0)


async def test_a_clause_left_early_is_counted() -> None:
    tts = FakeTextToSpeech()
    async with contextlib.aclosing(tts.speak("안녕", "ko")) as chunks:
        await anext(chunks)
    assert (tts.finished, tts.stopped) == (0, 1)


@pytest.mark.parametrize("after", [0, 2, 100])
async def test_a_failure_comes_after_the_chunks_asked_for(after: int) -> None:
    tts = FakeTextToSpeech(error=ProviderError(ErrorKind.NETWORK, "gone"), error_after=after)
    heard: list[Pcm] = []

    async def listen() -> None:
        async for chunk in tts.speak("안녕", "ko"):
            heard.append(chunk)  # noqa: PERF401 - what came before the failure is the point

    with pytest.raises(ProviderError, match="gone"):
        await listen()
    assert len(heard) == min(after, 5)
