"""What every LanguageModel keeps. A provider's test module inherits the class that fits it.

`LanguageModelContract` needs a fixture `model`. `RemoteModelContract` adds a `far_side`: how a test
tells the fake server behind the model what to do, and what that server has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Emotion, LanguageModel, MemoryNote, Message, Part, Request
from relay.llm.emotions import NAMES
from relay.llm.meter import Usage
from relay.persona import Persona
from relay.streaming import Deadlines
from tools.fake_gemini.http import Journal, Reply, Step

SEOUL = timezone(timedelta(hours=9))
PATIENT = Deadlines(first_s=60, gap_s=60, total_s=60)
PERSONA = Persona("차차", "진주", "ko", ("ko", "en"), "너는 차차, 말하는 인형이야.")


def request(text: str = "안녕?", language: str = "ko", *history: str) -> Request:
    """A request; `history` are lines of the owner and the doll in turn."""
    roles = ("user", "assistant")
    said = tuple(Message(roles[number % 2], line) for number, line in enumerate(history))  # type: ignore[arg-type]
    now = datetime(2026, 11, 23, 15, 20, tzinfo=SEOUL)
    return Request(PERSONA, said, text, language, now)


async def parts(model: LanguageModel, asked: Request) -> list[Part]:
    async with aclosing(model.reply(asked)) as answer:
        return [part async for part in answer]


async def collect(model: LanguageModel, asked: Request) -> list[str]:
    """What is spoken of an answer."""
    return [part for part in await parts(model, asked) if isinstance(part, str)]


async def failure(model: LanguageModel, asked: Request | None = None) -> ProviderError:
    """The error that a request ends in."""
    with pytest.raises(ProviderError) as caught:
        await collect(model, asked or request())
    return caught.value


class LanguageModelContract:
    streams = True  #: else an answer comes whole

    async def test_streams_text_in_pieces(self, model: LanguageModel) -> None:
        pieces = await collect(model, request("안녕, 넌 이름이 뭐야?"))
        assert len(pieces) > 1 or not self.streams
        assert all(pieces)
        assert "".join(pieces).strip()

    async def test_feels_and_notes_at_most_one_thing(self, model: LanguageModel) -> None:
        answer = await parts(model, request())
        emotions = [part.name for part in answer if isinstance(part, Emotion)]
        assert len(emotions) <= 1
        assert set(emotions) <= NAMES.keys()
        assert sum(isinstance(part, MemoryNote) for part in answer) <= 1

    async def test_answers_in_each_language_of_the_persona(self, model: LanguageModel) -> None:
        for text, language in (("안녕?", "ko"), ("hello", "en")):
            assert await collect(model, request(text, language))

    async def test_a_reply_may_be_closed_before_it_was_read(self, model: LanguageModel) -> None:
        await model.reply(request()).aclose()
        assert await collect(model, request())

    async def test_a_closed_reply_does_not_disturb_the_next(self, model: LanguageModel) -> None:
        async with aclosing(model.reply(request())) as pieces:
            assert await anext(pieces)
        assert await collect(model, request())

    async def test_several_dolls_are_answered_at_once(self, model: LanguageModel) -> None:
        answers = await asyncio.gather(*(collect(model, request()) for _ in range(8)))
        assert all(answers)

    async def test_takes_a_long_and_ragged_history(self, model: LanguageModel) -> None:
        asked = request("다음은?", "ko", *(f"{number}번째 말" for number in range(100)))
        # An interrupted turn leaves two lines of the owner in a row, a greeting a line of the doll
        # at the beginning, a reply cut off at once an empty one.
        ragged = (
            Message("assistant", "왔어?"),
            Message("user", "응"),
            Message("user", "있잖아"),
            Message("assistant", " "),
            *asked.history,
        )
        assert await collect(model, replace(asked, history=ragged))

    async def test_close_may_come_twice(self, model: LanguageModel) -> None:
        await collect(model, request())
        await model.close()
        await model.close()


@dataclass
class FarSide:
    """The fake server behind a remote model."""

    journal: Journal
    play: Callable[..., None]
    answer: Callable[..., Reply]  #: of text in pieces, `then` hanging or dropping the connection
    no_headers: Callable[[], Reply]
    overloaded: Callable[[], Reply]
    garbage: Callable[[], Reply]  #: status 200 and a stream that is not the provider's
    nothing: Callable[[], Reply]  #: status 200 and an empty stream
    make: Callable[[Deadlines], AbstractAsyncContextManager[LanguageModel]]
    roles: Callable[[], list[tuple[str, str]]]
    """The conversation in the newest request: (role, text), roles as in `Message`."""
    system: Callable[[], str]  #: the system prompt in the newest request


class Ledger:
    """A Meter that allows some requests, and sees how many were sent before each."""

    def __init__(self, journal: Journal, allowed: int = 100) -> None:
        self._journal = journal
        self._allowed = allowed
        self.permitted: list[int] = []  #: estimated tokens
        self.sent_before: list[int] = []
        self.usages: list[Usage] = []

    async def permit(self, tokens: int) -> None:
        if len(self.permitted) >= self._allowed:
            raise ProviderError(ErrorKind.QUOTA, "not today")
        self.permitted.append(tokens)
        self.sent_before.append(len(self._journal.requests))

    def used(self, usage: Usage) -> None:
        self.usages.append(usage)


async def hung_up(journal: Journal) -> None:
    """Wait until the server has noticed that its client went away."""
    async with asyncio.timeout(20):
        await journal.disconnected.wait()


class RemoteModelContract(LanguageModelContract):
    @pytest.fixture
    async def model(self, far_side: FarSide) -> AsyncIterator[LanguageModel]:
        async with far_side.make(PATIENT) as model:
            yield model

    async def test_passes_pieces_on_as_they_come(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer("하나 ", "둘 ", "셋", then=Step.HANG))
        async with aclosing(model.reply(request())) as pieces:
            heard = [await anext(pieces) for _ in range(3)]  # the answer is not over yet
        assert heard == ["하나 ", "둘 ", "셋"]

    async def test_sends_the_persona_the_history_the_text_the_time_and_the_language(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        await collect(model, request("How are you?", "en", "안녕", "왔어?"))
        assert far_side.roles() == [
            ("user", "안녕"),
            ("assistant", "왔어?"),
            ("user", "How are you?"),
        ]
        system = far_side.system()
        assert "말하는 인형" in system
        assert "11월 23일 월요일, 오후 3시 20분" in system
        assert "영어로 대답해" in system

    async def test_one_reply_is_one_request(self, far_side: FarSide, model: LanguageModel) -> None:
        far_side.play(far_side.overloaded())
        error = await failure(model)
        assert error.kind is ErrorKind.SERVER
        assert len(far_side.journal.requests) == 1

    async def test_reuses_its_connection(self, far_side: FarSide, model: LanguageModel) -> None:
        for _ in range(5):
            await collect(model, request())
        assert far_side.journal.connections == 1

    async def test_closing_a_reply_ends_the_request_at_the_server(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer("옛날 옛날에 ", then=Step.HANG))
        async with aclosing(model.reply(request())) as pieces:
            await anext(pieces)
        await hung_up(far_side.journal)

    async def test_cancelling_a_turn_ends_the_request_at_the_server(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer("옛날 옛날에 ", then=Step.HANG))
        speaking = asyncio.Event()

        async def turn() -> None:
            async with aclosing(model.reply(request())) as pieces:
                async for _ in pieces:
                    speaking.set()

        task = asyncio.create_task(turn())
        await speaking.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await hung_up(far_side.journal)

    async def test_a_server_that_never_begins_is_given_up(self, far_side: FarSide) -> None:
        far_side.play(far_side.no_headers())
        async with far_side.make(replace(PATIENT, first_s=0.2)) as model:
            error = await failure(model)
        assert error.kind is ErrorKind.NETWORK
        await hung_up(far_side.journal)

    async def test_headers_are_not_yet_an_answer(self, far_side: FarSide) -> None:
        far_side.play(far_side.answer(then=Step.HANG))
        async with far_side.make(replace(PATIENT, first_s=0.2)) as model:
            error = await failure(model)
        assert error.kind is ErrorKind.NETWORK
        await hung_up(far_side.journal)

    @pytest.mark.parametrize(
        "deadlines", [replace(PATIENT, gap_s=0.2), replace(PATIENT, total_s=2.0)], ids=repr
    )
    async def test_a_server_that_stops_in_the_middle_is_given_up(
        self, far_side: FarSide, deadlines: Deadlines
    ) -> None:
        far_side.play(far_side.answer("안녕! ", then=Step.HANG))
        async with far_side.make(deadlines) as model:
            pieces = model.reply(request())
            assert await anext(pieces) == "안녕! "
            with pytest.raises(ProviderError) as caught:
                await anext(pieces)
        assert caught.value.kind is ErrorKind.NETWORK
        await hung_up(far_side.journal)

    async def test_a_cut_connection_is_a_network_failure(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer("안녕! ", then=Step.DROP))
        assert (await failure(model)).kind is ErrorKind.NETWORK

    async def test_an_empty_answer_is_a_failure(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer(""), far_side.nothing())
        for _ in range(2):
            assert (await failure(model)).kind is ErrorKind.SERVER

    async def test_an_answer_that_is_not_the_protocol_is_a_server_failure(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.garbage())
        assert (await failure(model)).kind is ErrorKind.SERVER

    async def test_an_endless_answer_is_cut_off(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.answer(*["가" * 1_000] * 12, then=Step.HANG))
        assert len("".join(await collect(model, request()))) == 8_000
        await hung_up(far_side.journal)

    async def test_a_failure_does_not_disturb_the_next_reply(
        self, far_side: FarSide, model: LanguageModel
    ) -> None:
        far_side.play(far_side.overloaded(), far_side.answer("안녕! ", then=Step.DROP))
        await failure(model)
        await failure(model)
        assert await collect(model, request())


def leaks(error: BaseException, secret: str) -> bool:
    """Whether a secret is in what a log would print of an error, or hangs on it as its cause."""
    seen: list[Any] = [error, error.__cause__, error.__context__]
    return any(secret in f"{item!s}{item!r}{getattr(item, '__dict__', '')}" for item in seen)
