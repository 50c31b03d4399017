"""What becomes of an utterance until a turn answers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import structlog

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.services import Services
from relay.stt.base import Transcript
from relay.turn.asking import Asking
from relay.turn.early import Early
from relay.turn.errands import Errands
from tests.fakes.cloud import Cloud
from tests.fakes.devices import a_device
from tests.fakes.stt import FakeSpeechToText

pytestmark = pytest.mark.virtual_time

SECOND = np.ones(RATE_HZ, np.int16)


@asynccontextmanager
async def asking(
    services: Services, *, meant: bool = True, **settings: dict[str, object]
) -> AsyncIterator[Asking]:
    """That of one doll, with these sections of the settings changed; nothing is left over."""
    changed = {
        name: replace(getattr(services.settings, name), **section)
        for name, section in settings.items()
    }
    services = replace(services, settings=services.settings.model_copy(update=changed))
    device = a_device(services)

    def clock() -> datetime:
        return datetime(2026, 5, 1, 12, tzinfo=UTC)

    early = Early(services, device, Errands(device, clock), clock)
    one = Asking(services, device, early, lambda _: meant, structlog.get_logger())
    yield one
    one.forget()
    await one.close()


@pytest.fixture
def ear(services: Services) -> FakeSpeechToText:
    assert isinstance(services.stt, FakeSpeechToText)
    services.stt.delay_s = 0.3
    return services.stt


async def text(said: asyncio.Task[Transcript] | Pcm | None) -> str:
    assert isinstance(said, asyncio.Task)
    return (await said).text


async def test_a_pause_that_was_the_end_has_its_text_already(
    services: Services, ear: FakeSpeechToText
) -> None:
    async with asking(services) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(0.4)
        said, _ = one.take(None, one.over(SECOND))
        before = asyncio.get_running_loop().time()
        assert await text(said) == "안녕"
        assert asyncio.get_running_loop().time() == before
        assert len(ear.calls) == 1


async def test_a_pause_that_was_not_costs_the_recognition_of_the_whole(
    services: Services, ear: FakeSpeechToText
) -> None:
    async with asking(services) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(0.1)
        one.goes_on()
        longer = np.tile(SECOND, 2)
        said, ahead = one.take(None, one.over(longer))
        assert await text(said) == "안녕"
        assert ahead is None
        assert ear.cancelled == 1
        assert len(ear.calls[-1].utterance) == len(longer)


async def test_nothing_is_recognised_early_where_the_owner_does_not_want_that(
    services: Services, ear: FakeSpeechToText
) -> None:
    async with asking(services, turn={"early_stt": False}) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(1.0)
        assert ear.calls == []


async def test_what_was_cut_off_goes_before_what_is_said_next_once(
    services: Services, ear: FakeSpeechToText
) -> None:
    async with asking(services) as one:
        one.carry(SECOND)
        whole = one.over(2 * SECOND)
        np.testing.assert_array_equal(whole, np.concatenate([SECOND, 2 * SECOND]))
        np.testing.assert_array_equal(one.over(2 * SECOND), 2 * SECOND)
        one.carry(SECOND)
        one.likely_over(SECOND)
        await asyncio.sleep(0)
        assert len(ear.calls[-1].utterance) == 2 * RATE_HZ, "early, too"


async def test_an_utterance_of_many_is_cut_at_its_beginning(services: Services) -> None:
    async with asking(services) as one:
        one.carry(np.tile(SECOND, 29))
        whole = one.over(np.tile(2 * SECOND, 4))
        assert len(whole) == 30 * RATE_HZ
        assert whole[-1] == 2


async def test_more_turns_than_the_limit_are_refused_and_cost_no_recognition(
    services: Services, ear: FakeSpeechToText
) -> None:
    async with asking(services, limits={"turns_per_min": 1.0}) as one:
        for _ in range(2):
            assert await text(one.take(None, SECOND)[0]) == "안녕"
        one.likely_over(SECOND)
        refused, _ = one.take(None, SECOND)
        with pytest.raises(ProviderError) as error:
            await text(refused)
        assert error.value.kind is ErrorKind.RATE
        assert len(ear.calls) == 2


async def test_an_answer_begins_at_a_pause_that_is_meant_for_the_doll(cloud: Cloud) -> None:
    heard = FakeSpeechToText("오늘 날씨 어때?")
    services = replace(cloud.services, stt=heard)
    async with asking(services, turn={"early_answer": True}) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(1.0)
        _, ahead = one.take(None, one.over(SECOND))
        assert ahead is not None
        assert one.take(None, SECOND)[1] is None, "it is one question's"
    async with asking(services, meant=False, turn={"early_answer": True}) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(1.0)
        assert one.take(None, one.over(SECOND))[1] is None


async def test_what_is_forgotten_is_answered_by_nobody(cloud: Cloud) -> None:
    services = replace(cloud.services, stt=FakeSpeechToText("오늘 날씨 어때?"))
    async with asking(services, turn={"early_answer": True}) as one:
        one.likely_over(SECOND)
        await asyncio.sleep(1.0)
        one.forget()
        assert one.take(None, SECOND)[1] is None
