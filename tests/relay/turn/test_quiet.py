"""Quiet hours: a soft voice, or none unless the doll is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
import pytest

from relay.errors import ErrorKind, ProviderError
from relay.persona.quiet import QuietHours
from relay.services import Services
from relay.turn.quiet import NotCalledError, Quiet
from tests.fakes.connection import FakeConnection
from tests.fakes.session import talking
from tests.fakes.stt import FakeSpeechToText

pytestmark = pytest.mark.virtual_time

NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
ALWAYS = (time(0), time.max)

Make = Callable[..., Services]


@pytest.fixture
def quiet(services: Services) -> Make:
    """The relay with a persona whose quiet hours are all day."""

    def make(*, called: bool, volume: float = 0.4, said: str = "안녕") -> Services:
        services.persona = replace(
            services.persona, quiet=QuietHours(*ALWAYS, called=called, volume=volume)
        )
        services.stt = FakeSpeechToText(said)
        return services

    return make


def loudness(doll: FakeConnection) -> int:
    return max(int(np.abs(sent.what.astype(np.int32)).max()) for sent in doll.frames)


async def ask(doll: FakeConnection, count: int = 1) -> None:
    await doll.ask()
    await doll.until_stop(count)


async def test_the_voice_is_softer_by_what_the_persona_says(
    services: Services, quiet: Make
) -> None:
    loud, soft = FakeConnection(), FakeConnection()
    async with talking(services, loud):
        await ask(loud)
    async with talking(quiet(called=False, volume=0.25), soft):
        await ask(soft)
    assert loudness(soft) == pytest.approx(loudness(loud) / 4, abs=2)
    assert soft.texts == loud.texts


async def test_who_does_not_call_the_doll_hears_nothing(quiet: Make) -> None:
    doll = FakeConnection()
    async with talking(quiet(called=True, said="오늘 뭐 먹었어?"), doll):
        await ask(doll)
    assert doll.frames == []
    assert doll.texts == []


async def test_who_calls_it_is_answered_and_need_not_call_again_at_once(quiet: Make) -> None:
    doll = FakeConnection()
    services = quiet(called=True, said="차차야, 자?")
    async with talking(services, doll):
        await ask(doll)
        answered = len(doll.frames)
        assert answered
        services.stt.text = "나 무서운 꿈 꿨어."  # type: ignore[union-attr]
        await ask(doll, 2)
        assert len(doll.frames) > answered


async def test_a_failure_is_not_told_to_who_did_not_call(quiet: Make) -> None:
    doll = FakeConnection()
    services = quiet(called=True)
    services.stt = FakeSpeechToText("", error=ProviderError(ErrorKind.NETWORK, "down"))
    async with talking(services, doll):
        await ask(doll)
    assert doll.frames == []


def test_outside_its_hours_all_is_as_ever(services: Services) -> None:
    hours = QuietHours(time(22), time(7), called=True)
    day = NIGHT.replace(hour=12)
    persona = replace(services.persona, quiet=hours)
    by_day, by_night = Quiet(persona, day, None), Quiet(persona, NIGHT, None)
    by_day.heard("오늘 뭐 해?")
    assert (by_day.volume, by_day.hushed) == (1.0, False)
    assert (by_night.volume, by_night.hushed) == (0.4, True)
    with pytest.raises(NotCalledError):
        by_night.heard("오늘 뭐 해?")
    by_night.heard("ChaCha, are you awake?")
    assert not by_night.hushed
    assert not Quiet(persona, NIGHT, 59.0).hushed
    assert Quiet(persona, NIGHT, 61.0).hushed
