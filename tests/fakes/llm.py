"""A language model that says what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Request


class FakeLanguageModel:
    """Keeps the contract of `relay.llm.base.LanguageModel` without a model.

    `pieces` is what it answers, piece by piece: one list for ever, or a function of the request.
    The first piece comes after `first_delay_s` of the event loop's time, each further one after
    `piece_delay_s`. With `error` (an exception) it is raised in place of the first piece; with
    `error_after` too, after that many pieces. All of them may be set anew between calls.

    `requests` records what came. `finished` and `stopped` count the replies that ran to their end
    and those that were closed, cancelled or failed before; `closed` says that the model was closed.
    """

    def __init__(
        self,
        pieces: Sequence[str] | Callable[[Request], Sequence[str]] = ("응, ", "들려."),
        first_delay_s: float = 0.0,
        piece_delay_s: float = 0.0,
        error: Exception | None = None,
        error_after: int | None = None,
    ) -> None:
        self.pieces = pieces
        self.first_delay_s = first_delay_s
        self.piece_delay_s = piece_delay_s
        self.error = error
        self.error_after = error_after
        self.requests: list[Request] = []
        self.finished = 0
        self.stopped = 0
        self.closed = False

    async def reply(self, request: Request) -> AsyncGenerator[str, None]:
        """See `LanguageModel.reply`."""
        if self.closed:
            raise ProviderError(ErrorKind.SERVER, "The fake model is closed.")
        self.requests.append(request)
        pieces = self.pieces(request) if callable(self.pieces) else self.pieces
        fails_at = min(self.error_after or 0, len(pieces)) if self.error is not None else -1
        done = False
        try:
            for number, piece in enumerate(pieces):
                await asyncio.sleep(self.piece_delay_s if number else self.first_delay_s)
                if number == fails_at:
                    break
                yield piece
            if self.error is not None:
                raise self.error
            if not "".join(pieces).strip():
                raise ProviderError(ErrorKind.SERVER, "The answer held no text.")
            done = True
        finally:
            if done:
                self.finished += 1
            else:
                self.stopped += 1

    async def close(self) -> None:
        """See `LanguageModel.close`."""
        self.closed = True
