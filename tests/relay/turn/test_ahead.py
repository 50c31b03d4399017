from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.turn.ahead import Ahead, answered
from tests.fakes.cloud import CLOUD, Cloud
from tests.relay.llm.contract import request

pytestmark = pytest.mark.virtual_time

QUESTION = request()


async def words(cloud: Cloud, ahead: Ahead | None, question: object = QUESTION) -> str:
    events = answered(cloud.services.brain, question, "doll-1", None, ahead)
    async with aclosing(events):
        return "".join([event async for event in events if isinstance(event, str)])


def begun(cloud: Cloud) -> Ahead:
    return Ahead(cloud.services.brain, QUESTION, "doll-1")


async def test_what_was_begun_is_the_answer_and_costs_one_request(cloud: Cloud) -> None:
    cloud.models[0].first_delay_s = 1.0
    ahead = begun(cloud)
    await asyncio.sleep(0.9)
    started = asyncio.get_running_loop().time()
    assert await words(cloud, ahead) == CLOUD
    assert asyncio.get_running_loop().time() - started == pytest.approx(0.1)
    assert len(cloud.quota.granted) == 1


async def test_another_question_is_asked_anew(cloud: Cloud) -> None:
    cloud.models[0].first_delay_s = 1.0
    ahead = begun(cloud)
    await asyncio.sleep(0.5)
    assert await words(cloud, ahead, replace(QUESTION, text="다른 말")) == CLOUD
    assert [each.text for each in cloud.models[0].requests] == [QUESTION.text, "다른 말"]
    assert cloud.models[0].open == 0


async def test_where_it_came_to_nothing_the_question_is_asked_anew(cloud: Cloud) -> None:
    cloud.models[0].error = ProviderError(ErrorKind.SERVER, "503")
    ahead = begun(cloud)
    await asyncio.sleep(0.5)
    cloud.models[0].error = None
    assert await words(cloud, ahead) == CLOUD


async def test_words_cannot_be_taken_back_by_a_failure_behind_them(cloud: Cloud) -> None:
    cloud.models[0].parts = ["하나 ", "둘 "]
    cloud.models[0].error, cloud.models[0].error_after = ProviderError(ErrorKind.SERVER, "cut"), 1
    ahead = begun(cloud)
    with pytest.raises(ProviderError, match="cut"):
        await words(cloud, ahead)
    assert len(cloud.quota.granted) == 1


async def test_what_is_discarded_ends_its_request(cloud: Cloud) -> None:
    cloud.models[0].first_delay_s = 9.0
    ahead = begun(cloud)
    await asyncio.sleep(0.5)
    assert cloud.models[0].open == 1
    await ahead.close()
    assert cloud.models[0].open == 0


async def test_an_endless_answer_waits_in_bounded_memory(cloud: Cloud) -> None:
    cloud.models[0].parts = ["말 "] * 5_000
    ahead = begun(cloud)
    await asyncio.sleep(10.0)
    assert cloud.models[0].open == 1  # it has not been read to its end
    assert (await words(cloud, ahead)).count("말") == 5_000
