"""The fake language model does what its description says."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Request
from relay.persona.base import Persona
from tests.fakes.llm import FakeLanguageModel

REQUEST = Request(
    persona=Persona("하루", "", "ko", ("ko", "en"), "명랑하다"),
    history=(),
    text="안녕?",
    language="ko",
    now=datetime(2026, 1, 1, tzinfo=UTC),
)


async def answer(model: FakeLanguageModel) -> list[str]:
    async with contextlib.aclosing(model.reply(REQUEST)) as pieces:
        return [piece async for piece in pieces]


async def test_it_answers_piece_by_piece_and_records_the_request() -> None:
    model = FakeLanguageModel(["안", "녕"])
    assert await answer(model) == ["안", "녕"]
    assert model.requests == [REQUEST]
    assert (model.finished, model.stopped) == (1, 0)


async def test_a_function_answers_the_request() -> None:
    assert await answer(FakeLanguageModel(lambda request: [request.text])) == ["안녕?"]


@pytest.mark.parametrize(("after", "said"), [(None, 0), (0, 0), (1, 1), (9, 2)])
async def test_a_failure_comes_after_the_pieces_asked_for(after: int | None, said: int) -> None:
    error = ProviderError(ErrorKind.QUOTA, "used up")
    model = FakeLanguageModel(["안", "녕"], error=error, error_after=after)
    heard: list[str] = []

    async def listen() -> None:
        async for piece in model.reply(REQUEST):
            heard.append(piece)  # noqa: PERF401 - what came before the failure is the point

    with pytest.raises(ProviderError, match="used up"):
        await listen()
    assert len(heard) == said
    assert model.stopped == 1


async def test_an_answer_without_text_is_a_failure() -> None:
    with pytest.raises(ProviderError):
        await answer(FakeLanguageModel([" "]))


async def test_a_reply_left_early_is_counted() -> None:
    model = FakeLanguageModel(["안", "녕"])
    async with contextlib.aclosing(model.reply(REQUEST)) as pieces:
        await anext(pieces)
    assert (model.finished, model.stopped) == (0, 1)


async def test_after_close_a_request_is_refused() -> None:
    model = FakeLanguageModel()
    await model.close()
    with pytest.raises(ProviderError):
        await answer(model)
