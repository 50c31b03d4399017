"""Whatever is slow or fails, the doll is heard, and then gets its stop. Virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.config import Settings
from relay.errors import ErrorKind, ProviderError
from relay.persona import load
from relay.quota.base import Later, NotToday, Now
from relay.services import Services
from tests.fakes.cloud import Cloud
from tests.fakes.connection import FakeConnection
from tests.fakes.detector import LoudnessDetector
from tests.fakes.session import talking
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech
from tools.virtual_time import VirtualTimeLoop

Break = Callable[[Cloud], None]


def _recognition_is_slow(cloud: Cloud) -> None:
    cloud.services.stt.delay_s = 6.0


def _recognition_hangs(cloud: Cloud) -> None:
    cloud.services.stt.delay_s = 1e6


def _recognition_fails(cloud: Cloud) -> None:
    cloud.services.stt.error = ProviderError(ErrorKind.SERVER, "no ears")


def _quota_is_slow(cloud: Cloud) -> None:
    cloud.quota.admissions = {"lite": Later(14.0), "older": Later(14.0)}


def _quota_is_late(cloud: Cloud) -> None:
    cloud.quota.admissions = {"lite": Later(1.0), "older": Later(1.0)}
    cloud.quota.late_s = 1e6


def _quota_has_a_bug(cloud: Cloud) -> None:
    cloud.quota.error = ZeroDivisionError("a bug")


def _models_are_slow(cloud: Cloud) -> None:
    for model in cloud.models:
        model.first_delay_s = 7.0


def _models_hang(cloud: Cloud) -> None:
    for model in cloud.models:
        model.first_delay_s = 1e6


def _all_brains_fail(cloud: Cloud) -> None:
    cloud.fails(ProviderError(ErrorKind.SERVER, "503"))
    cloud.tail.error = ProviderError(ErrorKind.SERVER, "and this one")


def _voice_is_slow(cloud: Cloud) -> None:
    cloud.services.tts.first_delay_s = 5.0


def _voice_hangs(cloud: Cloud) -> None:
    cloud.services.tts.first_delay_s = 1e6


def _voice_fails(cloud: Cloud) -> None:
    cloud.services.tts.error = ProviderError(ErrorKind.NETWORK, "no voice")


def _voice_has_a_bug(cloud: Cloud) -> None:
    cloud.services.tts.error = ZeroDivisionError("a bug")


def _voice_says_nothing(cloud: Cloud) -> None:
    cloud.services.tts.seconds_per_clause = 0.0


@pytest.mark.parametrize(
    "breaks",
    [
        _recognition_is_slow, _recognition_hangs, _recognition_fails, _quota_is_slow,
        _quota_is_late, _quota_has_a_bug, _models_are_slow, _models_hang, _all_brains_fail,
        _voice_is_slow, _voice_hangs, _voice_fails, _voice_has_a_bug, _voice_says_nothing,
    ],
    ids=lambda breaks: breaks.__name__.strip("_"),
)  # fmt: skip
@pytest.mark.virtual_time
async def test_the_doll_is_heard_within_two_seconds_and_gets_its_stop(
    cloud: Cloud, breaks: Break
) -> None:
    breaks(cloud)
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await doll.ask()
        asked = asyncio.get_running_loop().time()
        await doll.until_stop()
        assert doll.frames[0].at - asked < 2.0
        assert doll.states[-1] == "stop"
        await asyncio.sleep(300)
        assert doll.states.count("stop") == 1
        assert cloud.quota.open_places == 0
        assert all(model.open == 0 for model in cloud.models)


DELAYS = st.sampled_from([0.0, 0.5, 3.0, 1e6])
FAILURES = st.sampled_from([None, *(ProviderError(kind, "as drawn") for kind in ErrorKind)])
ADMISSIONS = st.sampled_from([Now(), Later(1.0), Later(10.0), Later(50.0), NotToday(None)])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_mixture_of_troubles_leaves_a_doll_silent_or_without_its_stop(
    data: st.DataObject,
) -> None:
    async def run() -> None:
        services = Services(
            settings=Settings(),
            detector=LoudnessDetector(),
            stt=FakeSpeechToText("안녕", delay_s=data.draw(DELAYS), error=data.draw(FAILURES)),
            brain=None,  # type: ignore[arg-type]
            tts=FakeTextToSpeech(0.5, first_delay_s=data.draw(DELAYS), error=data.draw(FAILURES)),
            persona=load("chacha"),
        )
        cloud = Cloud.over(services)
        cloud.quota.late_s = data.draw(DELAYS)
        for model in cloud.models:
            cloud.quota.admissions[model.name] = data.draw(ADMISSIONS)
            model.error, model.first_delay_s = data.draw(FAILURES), data.draw(DELAYS)
            model.error_after = data.draw(st.integers(0, 1))
        cloud.tail.error, cloud.tail.first_delay_s = data.draw(FAILURES), data.draw(DELAYS)
        doll = FakeConnection()
        async with talking(services, doll):
            await doll.ask()
            asked = asyncio.get_running_loop().time()
            await doll.until_stop()
            assert doll.frames[0].at - asked < 2.0
            assert doll.states.count("start") == 1
            await asyncio.sleep(60)
            assert doll.states.count("stop") == 1
            assert doll.sent[-1].what == next(
                sent.what for sent in doll.sent if getattr(sent.what, "state", "") == "stop"
            )

    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
