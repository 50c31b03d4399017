"""Language models: what every brain of a doll offers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from relay.persona.base import Persona


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation so far; the doll's lines hold only what was spoken."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """All that a model needs for one answer. It keeps nothing of its own between requests."""

    persona: Persona
    history: tuple[Message, ...]  #: oldest first, without `text`
    text: str  #: what was just said
    language: str  #: ISO 639-1, the language of `text`, in which the doll answers
    now: datetime  #: aware, in the doll's time zone


class LanguageModel(Protocol):
    """Answers in a character's voice, as a stream."""

    def reply(self, request: Request) -> AsyncGenerator[str, None]:
        """Stream the answer in pieces of any length, as they come.

        The caller closes the generator (`contextlib.aclosing`) or cancels its task; either ends the
        request to the provider. Raises ProviderError, also when the stream ends with no text.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...
