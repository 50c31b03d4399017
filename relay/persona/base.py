"""Who the doll is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from relay.persona.quiet import QuietHours

MAX_CHARACTER_CHARS = 8_000  #: about 4,000 tokens of Korean with every turn


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of talk in the character's manner, shown to the model as an example."""

    heard: str
    said: str


class Manner(Protocol):
    """A manner of speech that was learned from real chats (`relay.persona.learning`)."""

    @property
    def examples(self) -> tuple[Exchange, ...]:
        """A few exchanges that show it best, different from each other."""
        ...

    def described(self, language: str) -> tuple[str, ...]:
        """How they speak, measured: a line each, for a prompt in this language (ISO 639-1)."""
        ...

    def nearest(self, text: str, most: int = 4) -> tuple[Exchange, ...]:
        """The exchanges whose question is most like `text`, the nearest last; a millisecond or
        two of work."""
        ...


@dataclass(frozen=True, slots=True)
class Persona:
    """A character, as `relay/persona/*.toml` or an owner's own file describes it."""

    name: str  #: what the doll is called
    owner: str  #: whom it talks with; may be empty
    language: str  #: ISO 639-1, its first language
    languages: tuple[str, ...]  #: all that it understands and speaks, the first one first
    character: str  #: the prompt: who it is and how it talks
    voice: str = ""  #: of the configured TTS, or `own:NAME`; empty for the default
    lines: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """Its own wording of fixed lines: language -> key (see `relay/locales`) -> variants.
    `greeting` is what it says when it has just come on."""
    examples: tuple[Exchange, ...] = ()  #: few-shot lines for the prompt
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """language -> (name, owner) where they are written in another script than `name` and `owner`:
    an English voice cannot say 차차."""
    rules: tuple[str, ...] = ()  #: of its own, besides those that all characters have
    wake: tuple[str, ...] = ()  #: what it answers to, besides its names
    lights: dict[str, int] = field(default_factory=dict)
    """Emotion -> colour of the doll's light, 0xRRGGBB; others have the colours of the doll."""
    quiet: QuietHours | None = None
    manner: Manner | None = None  #: learned from its model's chats

    def names_in(self, language: str) -> tuple[str, str]:
        """The doll's and the owner's name for a sentence in this language."""
        return self.names.get(language, (self.name, self.owner))

    @property
    def calls(self) -> tuple[str, ...]:
        """All that it answers to: its name in every script that it has, and `wake`."""
        return (self.name, *(name for name, _ in self.names.values()), *self.wake)

    def instructed(self, instruction: str) -> Persona:
        """With its owner's words in place of its character, its own rules and its examples.

        Name, voice, fixed lines and quiet hours stay, and the rules that all characters have.
        """
        return replace(self, character=instruction, rules=(), examples=())
