"""Who the doll is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of talk in the character's manner, shown to the model as an example."""

    heard: str
    said: str


@dataclass(frozen=True, slots=True)
class Persona:
    """A character, as `relay/persona/*.toml` or an owner's own file describes it."""

    name: str  #: what the doll is called
    owner: str  #: whom it talks with; may be empty
    language: str  #: ISO 639-1, its first language
    languages: tuple[str, ...]  #: all that it understands and speaks, the first one first
    character: str  #: the prompt: who it is and how it talks
    voice: str = ""  #: a voice of the configured TTS; empty for its default
    lines: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """Its own wording of fixed lines: language -> key (see `relay/locales`) -> variants.
    `greeting` is what it says when it has just come on."""
    examples: tuple[Exchange, ...] = ()  #: few-shot lines for the prompt
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """language -> (name, owner) where they are written in another script than `name` and `owner`:
    an English voice cannot say 차차."""

    def names_in(self, language: str) -> tuple[str, str]:
        """The doll's and the owner's name for a sentence in this language."""
        return self.names.get(language, (self.name, self.owner))
