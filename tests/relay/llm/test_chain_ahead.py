"""What a chain answers before a question is certainly over. Virtual time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.llm.events import Answering
from relay.quota.base import Later, NotToday, SupersededError
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.quota import ScriptedQuota
from tests.relay.llm.contract import request

pytestmark = pytest.mark.virtual_time


def chain(quota: ScriptedQuota, *models: FakeMeteredModel) -> Chain:
    return Chain([Link(model, quota) for model in models], tail=FakeLanguageModel(["작은 머리."]))


async def ahead(brain: Chain) -> list[object]:
    async with aclosing(brain.ahead(request(), doll="doll-1")) as events:
        return [event async for event in events]


async def test_the_first_model_answers_with_a_request_that_is_left_over() -> None:
    quota, model = ScriptedQuota(), FakeMeteredModel("lite", ["응."])
    events = await ahead(chain(quota, model))
    assert events == [Answering("lite", 0.0), "응."]
    assert [grant.model for grant in quota.granted] == ["lite"]
    assert quota.answers == ["lite"]
    assert quota.open_places == 0


@pytest.mark.parametrize("told", [Later(0.1), Later(100.0), NotToday(None)])
async def test_nothing_is_asked_where_it_would_have_to_wait(told: object) -> None:
    quota = ScriptedQuota(lite=told)
    models = FakeMeteredModel("lite"), FakeMeteredModel("older")
    assert await ahead(chain(quota, *models)) == []
    assert [model.requests for model in models] == [
        [],
        [],
    ]  # nor the second: a turn may have better
    assert quota.granted == []
    assert quota.open_places == 0


async def test_nothing_is_asked_with_a_request_that_a_turn_would_miss() -> None:
    quota, model = ScriptedQuota(), FakeMeteredModel("lite")
    quota.spare = False
    assert await ahead(chain(quota, model)) == []
    assert model.requests == []


async def test_without_a_model_there_is_nothing_to_gain() -> None:
    assert await ahead(Chain(tail=FakeLanguageModel(["작은 머리."]))) == []


async def test_who_is_overtaken_has_nothing_to_say() -> None:
    quota, model = ScriptedQuota(), FakeMeteredModel("lite")
    quota.error = SupersededError()
    assert await ahead(chain(quota, model)) == []


async def test_a_failure_is_told_to_the_quota_and_raised() -> None:
    quota = ScriptedQuota()
    broken = FakeMeteredModel("lite", error=ProviderError(ErrorKind.SERVER, "503"))
    with pytest.raises(ProviderError, match="503"):
        await ahead(chain(quota, broken))
    assert quota.failures == ["lite"]


async def test_closing_it_ends_the_request() -> None:
    quota, model = ScriptedQuota(), FakeMeteredModel("lite", ["하나 ", "둘 "], first_delay_s=5.0)
    task = asyncio.create_task(ahead(chain(quota, model)))
    await asyncio.sleep(1.0)
    assert model.open == 1
    task.cancel()
    await asyncio.wait((task,))
    assert model.open == 0
    assert quota.open_places == 0
