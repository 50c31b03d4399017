from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay.audio import RATE_HZ
from relay.errors import ErrorKind, ProviderError
from relay.stt.lazy import LazySpeechToText
from tests.fakes.stt import FakeSpeechToText

pytestmark = pytest.mark.virtual_time

UTTERANCE = np.full(RATE_HZ, 8_000, np.int16)


class Loader:
    def __init__(self) -> None:
        self.stt = FakeSpeechToText("안녕")
        self.error: Exception | None = None
        self.loads = 0

    async def __call__(self) -> FakeSpeechToText:
        self.loads += 1
        await asyncio.sleep(2.0)
        if self.error is not None:
            raise self.error
        return self.stt


async def test_it_is_loaded_once_however_many_dolls_speak() -> None:
    loader = Loader()
    stt = LazySpeechToText(loader)
    assert loader.loads == 0
    heard = await asyncio.gather(*(stt.transcribe(UTTERANCE, ["ko"]) for _ in range(4)))
    assert {transcript.text for transcript in heard} == {"안녕"}
    assert loader.loads == 1


async def test_a_failed_load_is_raised_and_tried_anew() -> None:
    loader = Loader()
    stt = LazySpeechToText(loader)
    loader.error = ProviderError(ErrorKind.SERVER, "no model")
    with pytest.raises(ProviderError, match="no model"):
        await stt.transcribe(UTTERANCE, ["ko"])
    loader.error = None
    assert (await stt.transcribe(UTTERANCE, ["ko"])).text == "안녕"


async def test_a_cancelled_turn_leaves_the_loading_to_the_next() -> None:
    loader = Loader()
    stt = LazySpeechToText(loader)
    first = asyncio.create_task(stt.transcribe(UTTERANCE, ["ko"]))
    await asyncio.sleep(1.0)
    first.cancel()
    await asyncio.wait((first,))
    assert (await stt.transcribe(UTTERANCE, ["ko"])).text == "안녕"
    assert loader.loads == 1


async def test_closing_closes_what_was_loaded_and_stops_what_is_loading() -> None:
    loader = Loader()
    stt = LazySpeechToText(loader)
    await stt.close()
    await stt.transcribe(UTTERANCE, ["ko"])
    await stt.close()
    assert loader.stt.closed
    before = asyncio.all_tasks()
    loading = asyncio.create_task(stt.transcribe(UTTERANCE, ["ko"]))
    await asyncio.sleep(1.0)
    await stt.close()
    await asyncio.wait((loading,))
    assert asyncio.all_tasks() <= before
