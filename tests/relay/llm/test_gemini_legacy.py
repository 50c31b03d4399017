"""The old SDK is heavy and in no extra that tests install by themselves: where it is missing, these
tests say so. `pip install -e '.[gemini-legacy]'` brings it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.base import LanguageModel
from relay.llm.extras import MissingExtraError
from relay.llm.gemini_errors import OverLimitError
from relay.llm.meter import Usage
from relay.streaming import Deadlines
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, Rules, serving_gemini
from tests.relay.llm.contract import (
    LanguageModelContract,
    Ledger,
    collect,
    failure,
    leaks,
    request,
)
from tools.fake_gemini.http import Reply

try:
    from relay.llm.gemini_legacy import GeminiLegacyModel
except MissingExtraError as error:
    pytest.skip(f"gemini-legacy is NOT tested: {error}", allow_module_level=True)

MODEL = "gemini-3.5-flash-lite"
PATIENT = Deadlines(first_s=60, gap_s=60, total_s=60)


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@asynccontextmanager
async def legacy(
    server: FakeGemini, model: str = MODEL, deadlines: Deadlines = PATIENT, key: str = fakes.KEY
) -> AsyncIterator[GeminiLegacyModel]:
    brain = GeminiLegacyModel(key, model, base_url=server.url, deadlines=deadlines)
    try:
        yield brain
    finally:
        await brain.close()


class TestLegacy(LanguageModelContract):
    streams = False

    @pytest.fixture
    async def model(self, server: FakeGemini) -> AsyncIterator[LanguageModel]:
        async with legacy(server) as model:
            yield model


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after_s"),
    [
        (fakes.too_many_requests(fakes.MINUTE_ID, 15, "47.618338084s"), ErrorKind.RATE, 47.618),
        (fakes.too_many_requests(fakes.DAY_ID, 500, "8h57m50.9s"), ErrorKind.QUOTA, 32270.9),
        (fakes.overloaded(), ErrorKind.SERVER, None),
        (fakes.error(500, "INTERNAL", "An internal error."), ErrorKind.SERVER, None),
        (fakes.html(502), ErrorKind.SERVER, None),
        (fakes.wrong_key(), ErrorKind.AUTH, None),
        (fakes.suspended_key(), ErrorKind.AUTH, None),
        (fakes.error(400, "INVALID_ARGUMENT", "Bad."), ErrorKind.BAD_REQUEST, None),
    ],
)
async def test_each_way_to_fail_has_its_kind_and_costs_one_request(
    server: FakeGemini, reply: Reply, kind: ErrorKind, retry_after_s: float | None
) -> None:
    server.play(reply)
    async with legacy(server) as model:
        error = await failure(model)
    assert error.kind is kind
    assert error.retry_after_s == pytest.approx(retry_after_s, abs=0.1)
    assert len(server.journal.requests) == 1
    assert not leaks(error, fakes.KEY)
    assert error.__context__ is None


async def test_a_refusal_tells_the_quota_its_limit(server: FakeGemini) -> None:
    server.play(fakes.too_many_requests(fakes.MINUTE_ID, 15, "47.6s"))
    async with legacy(server) as model:
        error = await failure(model)
    assert isinstance(error, OverLimitError)
    assert error.refusal.value == 15


async def test_a_retired_model_is_gone(server: FakeGemini) -> None:
    async with legacy(server, "gemini-2.0-flash") as model:
        assert isinstance(await failure(model), ModelGoneError)


@pytest.mark.parametrize("fault", ["blocked-prompt", "blocked"])
async def test_refused_content_is_told(server: FakeGemini, fault: str) -> None:
    server.play(fault)
    async with legacy(server) as model:
        assert (await failure(model)).kind is ErrorKind.BLOCKED


async def test_nobody_at_the_address_is_a_network_failure(server: FakeGemini) -> None:
    server.url = "http://127.0.0.1:1"
    async with legacy(server) as model:
        assert (await failure(model)).kind is ErrorKind.NETWORK


async def test_a_server_that_hangs_is_given_up_at_the_deadline(server: FakeGemini) -> None:
    server.play(fakes.no_headers())
    async with legacy(server, deadlines=Deadlines(0.2, 0.2, 1.0)) as model:
        assert (await failure(model)).kind is ErrorKind.NETWORK


async def test_sends_persona_history_text_and_safety(server: FakeGemini) -> None:
    async with legacy(server) as model:
        await collect(model, request("How are you?", "en", "안녕", "왔어?"))
    contents = server.last["contents"]
    assert [(turn["role"], turn["parts"][0]["text"]) for turn in contents] == [
        ("user", "안녕"),
        ("model", "왔어?"),
        ("user", "How are you?"),
    ]
    assert "말하는 인형" in server.last["systemInstruction"]["parts"][0]["text"]
    assert len(server.last["safetySettings"]) == 4


async def test_a_refused_system_instruction_is_a_second_request_with_its_own_permission() -> None:
    rules = Rules(without_system_instruction=frozenset({MODEL}))
    async with serving_gemini(rules) as server, legacy(server) as model:
        meter = Ledger(server.journal)
        assert [part async for part in model.reply(request("안녕?"), meter)]
        assert meter.sent_before == [0, 1]
        assert "systemInstruction" not in server.last
        assert "말하는 인형" in server.last["contents"][0]["parts"][0]["text"]
        await collect(model, request("또 안녕?"))
        assert len(server.journal.requests) == 3  # it is remembered


async def test_what_is_not_permitted_is_not_sent_and_usage_is_told(server: FakeGemini) -> None:
    async with legacy(server) as model:
        with pytest.raises(ProviderError, match="not today"):
            await anext(model.reply(request(), Ledger(server.journal, allowed=0)))
        assert server.journal.requests == []
        meter = Ledger(server.journal)
        assert [part async for part in model.reply(request(), meter)]
    [usage] = meter.usages
    assert isinstance(usage, Usage)
    assert usage.input > 100
