"""The fake recogniser keeps the contract, so that a test with it says something about real ones."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from tests.fakes.stt import FakeSpeechToText
from tests.relay.stt.contract import SpeechToTextContract

LOUD = np.full(RATE_HZ, 1_000, np.int16)


class TestFakeSpeechToText(SpeechToTextContract):
    @pytest.fixture
    def stt(self) -> FakeSpeechToText:
        return FakeSpeechToText("안녕")

    @pytest.fixture
    def speech(self) -> Pcm:
        return LOUD


async def test_a_list_of_texts_is_heard_in_order_and_its_last_one_stays() -> None:
    stt = FakeSpeechToText(["하나", "둘"])
    assert [(await stt.transcribe(LOUD, ["ko"])).text for _ in range(3)] == ["하나", "둘", "둘"]


async def test_silence_uses_up_no_text() -> None:
    stt = FakeSpeechToText(["하나", "둘"])
    assert (await stt.transcribe(0 * LOUD, ["ko"])).text == ""
    assert (await stt.transcribe(LOUD, ["ko"])).text == "하나"


async def test_a_function_hears_the_utterance() -> None:
    stt = FakeSpeechToText(lambda utterance: str(len(utterance)))
    assert (await stt.transcribe(LOUD, ["ko"])).text == "16000"
    assert len(stt.calls[0].utterance) == 16000


async def test_a_failure_comes_until_it_is_taken_away() -> None:
    stt = FakeSpeechToText(error=ProviderError(ErrorKind.SERVER, "broken"))
    with pytest.raises(ProviderError, match="broken"):
        await stt.transcribe(LOUD, ["ko"])
    stt.error = None
    assert (await stt.transcribe(LOUD, ["ko"])).text


async def test_a_cancelled_call_is_counted() -> None:
    stt = FakeSpeechToText(delay_s=1000)
    call = asyncio.create_task(stt.transcribe(LOUD, ["ko"]))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert stt.cancelled == 1
