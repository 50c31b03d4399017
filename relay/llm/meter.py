"""What a model with an allowance asks before each of its requests, and tells after it.

One call of `reply` or `hear` is usually one request on the wire. It is two where the model turns
out to lack something (a system instruction, JSON, a level of thinking): the same question is then
sent again without it, and that is a request like any other. So the model itself asks, immediately
before each one, and nothing goes out that the ledger does not know:

    place = ...                                     # from Quota.place(name, tokens=model.tokens(r))
    model.reply(request, meter)
        -> await meter.permit(tokens)               # the first request: place.granted()
        -> (the model refuses the system instruction)
        -> await meter.permit(tokens)               # the second one: a new place, or raise
        -> Emotion, text, text, MemoryNote
        -> meter.used(Usage(...))                   # once per request that told it
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Heard, Part, Request


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request took, as its provider counts it; tokens."""

    input: int
    output: int
    thinking: int = 0  #: not in `output`


class Meter(Protocol):
    """The allowance's side of one answer."""

    async def permit(self, tokens: int) -> None:
        """Return when a request of about `tokens` input tokens may be sent; it follows at once.

        The model's deadlines begin after it. Whatever it raises ends the answer as it is.
        """
        ...

    def used(self, usage: Usage) -> None:
        """What the newest request took. Not called for one that failed or was not read to its
        end."""
        ...


class Unmetered:
    """For a model with no limits, and for tests."""

    async def permit(self, tokens: int) -> None:
        """Anything may be sent."""

    def used(self, usage: Usage) -> None:
        """Nobody counts."""


class MeteredModel(Protocol):
    """A LanguageModel, and perhaps a SpeechModel, whose requests are counted."""

    @property
    def name(self) -> str:
        """The provider's name of the model: the one that the quota and the log know it by."""
        ...

    @property
    def hears(self) -> bool:
        """Whether `hear` may be used. May turn false when the provider refuses audio."""
        ...

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        """About how many input tokens a request takes; rather too many than too few."""
        ...

    def reply(self, request: Request, meter: Meter | None = None) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        ...

    def hear(
        self, utterance: Pcm, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Heard | Part, None]:
        """See SpeechModel.hear."""
        ...

    async def close(self) -> None:
        """See LanguageModel.close."""
        ...


class TextOnly:
    """The half of a MeteredModel that cannot hear."""

    name: str

    @property
    def hears(self) -> bool:
        """See MeteredModel."""
        return False

    async def hear(
        self,
        utterance: Pcm,  # noqa: ARG002
        request: Request,  # noqa: ARG002
        meter: Meter | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Heard | Part, None]:
        """See MeteredModel.hears: this is not to be called."""
        raise ProviderError(ErrorKind.BAD_REQUEST, f"{self.name} hears nothing: it answers text.")
        yield  # a generator, as the others are
