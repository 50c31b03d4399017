from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.config import ConfigError, Settings
from relay.llm.base import Heard
from relay.llm.chain import LOCAL, Chain
from relay.llm.events import Answering, Event
from relay.llm.policy import Trouble
from relay.llm.providers import open_brain
from relay.llm.settings import DEFAULT_CHAIN
from relay.quota.scheduler import Scheduler
from relay.quota.unlimited import Unlimited
from tests.fakes.gemini import KEY, Rules, serving_gemini
from tests.relay.llm.contract import request
from tools.fake_gemini.quota import Limits


def settings(tmp_path: Path, **llm: Any) -> Settings:
    return Settings(llm=llm, quota={"store": str(tmp_path / "quota.sqlite3")})


def chosen(brain: Chain) -> list[str]:
    return [link.model.name for link in brain.links]


async def test_with_no_key_the_embedded_brain_is_all_there_is(tmp_path: Path) -> None:
    brain = await open_brain(settings(tmp_path))
    assert chosen(brain) == []
    assert brain.tail is not None
    await brain.close()


async def test_gemini_is_a_chain_with_one_quota_and_the_small_brain_behind_it(
    tmp_path: Path,
) -> None:
    brain = await open_brain(settings(tmp_path, gemini={"api_key": KEY, "models": ["a", "b"]}))
    assert chosen(brain) == ["a", "b"]
    assert len({id(link.quota) for link in brain.links}) == 1
    assert isinstance(brain.links[0].quota, Scheduler)
    assert brain.tail is not None
    await brain.close()


async def test_gemini_without_a_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="GEMINI_API_KEY"):
        await open_brain(settings(tmp_path, provider="gemini"))


async def test_a_server_at_home_has_no_limits(tmp_path: Path) -> None:
    at_home = await open_brain(settings(tmp_path, provider="openai", openai={"model": "llama"}))
    assert isinstance(at_home.links[0].quota, Unlimited)
    await at_home.close()


async def test_a_server_elsewhere_has_a_ledger(tmp_path: Path) -> None:
    elsewhere = {"model": "llama", "base_url": "https://example.com/v1", "api_key": "k"}
    brain = await open_brain(settings(tmp_path, provider="openai", openai=elsewhere))
    assert isinstance(brain.links[0].quota, Scheduler)
    await brain.close()


# The whole of it: the real SDK over real sockets, the real ledger, the chain.


async def ask(brain: Chain, utterance: Pcm | None = None) -> list[Event]:
    asked = request() if utterance is None else replace(request(), text="")
    async with aclosing(brain.answer(asked, doll="doll-1", utterance=utterance)) as answer:
        return [event async for event in answer]


def answering(events: list[Event]) -> Answering:
    return next(event for event in events if isinstance(event, Answering))


def words(events: list[Event]) -> str:
    return "".join(event for event in events if isinstance(event, str))


@asynccontextmanager
async def cloud(tmp_path: Path, rules: Rules) -> AsyncIterator[Chain]:
    async with serving_gemini(rules) as fake:
        brain = await open_brain(settings(tmp_path, gemini={"api_key": KEY, "base_url": fake.url}))
        yield brain
        await brain.close()


async def test_the_first_model_of_the_chain_answers_and_the_ledger_knows(tmp_path: Path) -> None:
    async with cloud(tmp_path, Rules()) as brain:
        events = await ask(brain)
        (use, *_) = await brain.links[0].quota.snapshot()  # type: ignore[attr-defined]
    assert answering(events).model == DEFAULT_CHAIN[0]
    assert words(events).strip()
    assert use.day_requests == 1


async def test_a_retired_model_is_passed_over_in_the_same_turn(tmp_path: Path) -> None:
    async with cloud(tmp_path, Rules(retired=frozenset(DEFAULT_CHAIN[:1]))) as brain:
        assert answering(await ask(brain)).model == DEFAULT_CHAIN[1]


async def test_a_wrong_key_leaves_the_small_brain(tmp_path: Path) -> None:
    async with cloud(tmp_path, Rules(key="another")) as brain:
        answer = answering(await ask(brain))
    assert (answer.model, answer.outage and answer.outage.trouble) == (LOCAL, Trouble.AUTH)


async def test_a_day_that_is_used_up_is_known_with_its_end(tmp_path: Path) -> None:
    rules = Rules(limits=Limits(100, None, 1))
    async with cloud(tmp_path, rules) as brain:
        models = [answering(await ask(brain)) for _ in range(6)]
    assert [answer.model for answer in models[:3]] == list(DEFAULT_CHAIN)
    assert {answer.model for answer in models[3:]} == {LOCAL}
    outage = models[-1].outage
    assert outage is not None
    assert outage.trouble is Trouble.QUOTA
    assert outage.back_at is not None


async def test_one_request_hears_and_answers(tmp_path: Path) -> None:
    speech = (np.random.default_rng(0).normal(0, 3_000, 2 * RATE_HZ)).astype(np.int16)
    async with cloud(tmp_path, Rules()) as brain:
        events = await ask(brain, speech)
        (use, *_) = await brain.links[0].quota.snapshot()  # type: ignore[attr-defined]
    heard = next(event for event in events if isinstance(event, Heard))
    assert heard.kind == "speech"
    assert heard.text
    assert words(events).strip()
    assert use.day_requests == 1
