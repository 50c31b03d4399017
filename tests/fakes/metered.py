"""A model of a chain that asks before each request and says what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from relay.audio import Pcm
from relay.llm.base import Heard, Part, Request
from relay.llm.meter import Meter, Unmetered, Usage

TOKENS = 1_000


class FakeMeteredModel:
    """Keeps the contract of `relay.llm.meter.MeteredModel`, hearing included.

    `parts` is what it answers; `heard` comes before it where it hears. The first of it comes
    `first_delay_s` after the request was permitted. With `error` it is raised behind the first
    `error_after` of all that. It sends each question `requests_per_answer` times.

    `requests` and `utterances` record what came; `open` counts the answers that run.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[Part] = ("구름 위에서 ", "대답해."),
        *,
        heard: Heard | None = None,
        error: Exception | None = None,
        error_after: int = 0,
        first_delay_s: float = 0.0,
    ) -> None:
        self.name = name
        self.parts = parts
        self.heard = heard
        self.error = error
        self.error_after = error_after
        self.first_delay_s = first_delay_s
        self.requests_per_answer = 1
        self.requests: list[Request] = []
        self.utterances: list[Pcm] = []
        self.open = 0
        self.closed = False

    @property
    def hears(self) -> bool:
        return self.heard is not None

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        return TOKENS

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Part, None]:
        self.requests.append(request)
        async with aclosing(self._stream(list(self.parts), meter or Unmetered())) as parts:
            async for part in parts:
                assert not isinstance(part, Heard)
                yield part

    async def hear(
        self, utterance: Pcm, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Heard | Part, None]:
        assert self.heard is not None
        self.utterances.append(utterance)
        answer = self.parts if self.heard.kind == "speech" else ()
        async with aclosing(self._stream([self.heard, *answer], meter or Unmetered())) as parts:
            async for part in parts:
                yield part

    async def _stream(
        self, parts: list[Heard | Part], meter: Meter
    ) -> AsyncGenerator[Heard | Part, None]:
        self.open += 1
        try:
            for _ in range(self.requests_per_answer):
                await meter.permit(TOKENS)
            await asyncio.sleep(self.first_delay_s)
            for number, part in enumerate(parts):
                if self.error is not None and number == self.error_after:
                    break
                yield part
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            meter.used(Usage(TOKENS, 20))
        finally:
            self.open -= 1

    async def close(self) -> None:
        self.closed = True
