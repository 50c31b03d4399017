"""Which model of a chain looks at a photo, and what Gemini is asked about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay.devices.sight import MAX_ANSWER_CHARS
from relay.errors import ErrorKind, ProviderError
from relay.gemini_server import GeminiServer
from relay.llm.admission import Link
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.llm.gemini import GeminiModel
from relay.llm.meter import Meter, Unmetered
from relay.llm.seeing import PHOTO_TOKENS, shortened
from relay.quota.base import NotToday
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, serving_gemini
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.metered import TOKENS, FakeMeteredModel
from tests.fakes.quota import ScriptedQuota
from tests.relay.llm.contract import PATIENT, request

JPEG = b"\xff\xd8\xff\xe0"
REQUEST = request("이게 뭐야?")


class Seer(FakeMeteredModel):
    """A model that sees, or fails to."""

    sees = True

    async def look(self, jpeg: bytes, request: Request, meter: Meter | None = None) -> str:
        self.requests.append(request)
        await (meter or Unmetered()).permit(TOKENS + PHOTO_TOKENS)
        if self.error is not None:
            raise self.error
        return f"{self.name} sees {len(jpeg)} bytes."


def chain(quota: ScriptedQuota, *models: FakeMeteredModel) -> Chain:
    return Chain([Link(model, quota, "gemini") for model in models], tail=FakeLanguageModel())


async def test_the_first_model_that_sees_is_asked() -> None:
    quota = ScriptedQuota()
    brain = chain(quota, FakeMeteredModel("blind"), Seer("one"), Seer("two"))
    assert brain.sees
    assert await brain.look(JPEG, REQUEST, doll="doll-1") == "one sees 4 bytes."
    assert [(grant.model, grant.tokens) for grant in quota.granted] == [
        ("one", TOKENS + PHOTO_TOKENS)
    ]
    assert quota.answers == ["one"]
    assert quota.open_places == 0


async def test_the_next_one_is_asked_where_it_is_used_up_or_fails() -> None:
    used_up = ScriptedQuota(one=NotToday(None))
    assert (await chain(used_up, Seer("one"), Seer("two")).look(JPEG, REQUEST, doll="d"))[:3] == (
        "two"
    )
    quota = ScriptedQuota()
    fails = Seer("one", error=ProviderError(ErrorKind.SERVER, "503"))
    assert (await chain(quota, fails, Seer("two")).look(JPEG, REQUEST, doll="d"))[:3] == "two"
    assert quota.open_places == 0


@pytest.mark.parametrize("kind", [ErrorKind.AUTH, ErrorKind.BLOCKED])
async def test_some_failures_are_everybodys(kind: ErrorKind) -> None:
    two = Seer("two")
    brain = chain(ScriptedQuota(), Seer("one", error=ProviderError(kind, "no")), two)
    with pytest.raises(ProviderError) as raised:
        await brain.look(JPEG, REQUEST, doll="d")
    assert raised.value.kind is kind
    assert not two.requests


async def test_a_quota_that_is_used_up_is_told_as_that() -> None:
    quota = ScriptedQuota(one=NotToday(None))
    with pytest.raises(ProviderError) as raised:
        await chain(quota, Seer("one")).look(JPEG, REQUEST, doll="d")
    assert raised.value.kind is ErrorKind.QUOTA
    assert not quota.granted


def test_a_chain_of_models_that_do_not_see_does_not() -> None:
    assert not chain(ScriptedQuota(), FakeMeteredModel("blind")).sees
    assert not Chain(tail=FakeLanguageModel()).sees


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


async def test_gemini_gets_the_photo_in_the_characters_request(server: FakeGemini) -> None:
    server.play(fakes.answer("빨간 ", "사과네."))
    model = GeminiModel(GeminiServer(fakes.KEY, server.url), "gemini-3.5-flash-lite")
    try:
        assert await model.look(JPEG, REQUEST) == "빨간 사과네."
    finally:
        await model.close()
    asked = server.asked[-1]
    assert [picture.data for picture in asked.pictures] == [JPEG]
    assert asked.turns[-1].text == REQUEST.text
    assert asked.schema is None
    assert REQUEST.persona.name in asked.system


async def test_a_model_that_refuses_pictures_is_not_asked_again(server: FakeGemini) -> None:
    server.play(fakes.error(400, "INVALID_ARGUMENT", "Image input modality is not enabled for x"))
    model = GeminiModel(
        GeminiServer(fakes.KEY, server.url),
        "gemini-3.5-flash-lite",
        deadlines=PATIENT,
    )
    try:
        assert model.sees
        for _ in range(2):
            with pytest.raises(ProviderError) as raised:
                await model.look(JPEG, REQUEST)
            assert raised.value.kind is ErrorKind.BAD_REQUEST
        assert not model.sees
    finally:
        await model.close()
    assert len(server.journal.requests) == 1


def test_a_long_answer_ends_with_a_sentence() -> None:
    sentence = "사과가 하나 있네. "
    cut = shortened(sentence * 100)
    assert cut.endswith("있네.")
    assert MAX_ANSWER_CHARS - len(sentence) < len(cut) <= MAX_ANSWER_CHARS
    assert len(shortened("a" * 1000)) == MAX_ANSWER_CHARS
    assert shortened(" 사과,\n 하나. ") == "사과, 하나."
