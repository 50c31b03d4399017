from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.failover import CoolDown
from relay.stt.fallback import FallbackSpeechToText
from tests.fakes.stt import FakeSpeechToText
from tests.relay.stt.contract import SpeechToTextContract

LOUD = np.full(RATE_HZ, 1_000, np.int16)
DOWN = ProviderError(ErrorKind.NETWORK, "not reached")


class TestFallback(SpeechToTextContract):
    @pytest.fixture
    def stt(self) -> FallbackSpeechToText:
        return FallbackSpeechToText(
            [("cloud", FakeSpeechToText(error=DOWN)), ("own", FakeSpeechToText("안녕"))]
        )

    @pytest.fixture
    def speech(self) -> Pcm:
        return LOUD


@pytest.fixture
def cloud() -> FakeSpeechToText:
    return FakeSpeechToText("구름")


@pytest.fixture
def own() -> FakeSpeechToText:
    return FakeSpeechToText("집")


@pytest.fixture
def stt(cloud: FakeSpeechToText, own: FakeSpeechToText) -> FallbackSpeechToText:
    return FallbackSpeechToText([("cloud", cloud), ("own", own)], CoolDown(first_s=30))


pytestmark = pytest.mark.virtual_time


async def test_the_preferred_one_hears_alone(
    stt: FallbackSpeechToText, own: FakeSpeechToText
) -> None:
    assert (await stt.transcribe(LOUD, ["ko"])).text == "구름"
    assert own.calls == []


async def test_the_next_hears_the_same_utterance_whole(
    stt: FallbackSpeechToText, cloud: FakeSpeechToText, own: FakeSpeechToText
) -> None:
    cloud.error = DOWN
    assert (await stt.transcribe(LOUD, ["ko", "en"])).text == "집"
    assert own.calls[0].utterance is LOUD
    assert own.calls[0].languages == ("ko", "en")


async def test_one_that_failed_is_left_alone_for_a_while_and_then_comes_back(
    stt: FallbackSpeechToText, cloud: FakeSpeechToText
) -> None:
    cloud.error = DOWN
    for _ in range(3):
        await stt.transcribe(LOUD, ["ko"])
    assert len(cloud.calls) == 1
    cloud.error = None
    await asyncio.sleep(29)
    assert (await stt.transcribe(LOUD, ["ko"])).text == "집"
    await asyncio.sleep(2)
    assert (await stt.transcribe(LOUD, ["ko"])).text == "구름"


async def test_when_all_fail_the_first_failure_is_told_and_all_were_tried(
    stt: FallbackSpeechToText, cloud: FakeSpeechToText, own: FakeSpeechToText
) -> None:
    cloud.error, own.error = DOWN, ProviderError(ErrorKind.SERVER, "broken")
    for tries in (1, 2):
        with pytest.raises(ProviderError):
            await stt.transcribe(LOUD, ["ko"])
        assert (len(cloud.calls), len(own.calls)) == (tries, tries)


async def test_a_language_that_one_lacks_does_not_send_it_to_rest() -> None:
    korean, both = FakeSpeechToText("하나", supported=("ko",)), FakeSpeechToText("둘")
    stt = FallbackSpeechToText([("korean", korean), ("both", both)])
    assert (await stt.transcribe(LOUD, ["en"])).text == "둘"
    assert (await stt.transcribe(LOUD, ["ko"])).text == "하나"


async def test_cancelling_asks_nobody_else(
    stt: FallbackSpeechToText, cloud: FakeSpeechToText, own: FakeSpeechToText
) -> None:
    cloud.delay_s = 1_000
    call = asyncio.create_task(stt.transcribe(LOUD, ["ko"]))
    await asyncio.sleep(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert cloud.cancelled == 1
    assert own.calls == []


async def test_closing_closes_all(
    stt: FallbackSpeechToText, cloud: FakeSpeechToText, own: FakeSpeechToText
) -> None:
    await stt.close()
    assert (cloud.closed, own.closed) == (True, True)
