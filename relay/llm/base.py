"""Language models: what every brain of a doll offers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from relay.audio import Pcm
from relay.devices.tools import Tool
from relay.persona.base import Exchange, Persona


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
    notes: tuple[str, ...] = ()  #: what the doll has noted about its owner, a line each
    instructions: str = ""  #: in place of the character: for work that is no answer to anybody
    near: tuple[Exchange, ...] = ()
    """Of real chats in this character's manner: what was answered to things like `text`."""
    tools: tuple[Tool, ...] = ()  #: what the doll can be asked to do along with the answer


@dataclass(frozen=True, slots=True)
class Heard:
    """What a speech model made of the audio; comes before any text of the answer."""

    kind: Literal["speech", "noise", "none"]
    text: str  #: the transcript; empty unless it is speech
    language: str  #: ISO 639-1, one of the persona's languages


@dataclass(frozen=True, slots=True)
class Emotion:
    """How the doll feels about its answer: one of `relay.llm.emotions.NAMES`."""

    name: str


@dataclass(frozen=True, slots=True)
class MemoryNote:
    """A fact about the owner that the model proposes to remember; one short sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the model wants the doll to do: one of its tools. Nobody has checked it."""

    tool: str
    arguments: Mapping[str, Any]


Part = str | Emotion | MemoryNote | Action
"""A piece of an answer: text that is spoken, or something about it."""


class LanguageModel(Protocol):
    """Answers in a character's voice, as a stream."""

    def reply(self, request: Request) -> AsyncGenerator[Part, None]:
        """Stream the answer in pieces of any length, as they come.

        The caller closes the generator (`contextlib.aclosing`) or cancels its task; either ends the
        request to the provider. Raises ProviderError, also when the stream ends with no text.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...


class SpeechModel(Protocol):
    """Hears the utterance itself and answers it, in one request."""

    def hear(self, utterance: Pcm, request: Request) -> AsyncGenerator[Heard | Part, None]:
        """Stream what was heard, then the answer, like `LanguageModel.reply`.

        `utterance` is 16 kHz; `request.text` is empty, and `request.language` the likeliest one.
        Where nothing was said the answer is empty, and that is no failure. Raises ProviderError.
        """
        ...

    async def close(self) -> None:
        """Give back threads, models and connections. Called once, when the relay stops."""
        ...
