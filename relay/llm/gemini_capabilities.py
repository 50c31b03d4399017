"""What each family of Google's models can do, and what their refusals teach about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from relay.errors import ErrorKind, ProviderError

Thinking = Literal["model", "off", "minimal", "low"]
"""How much is thought before the first word: `model` sends nothing, `off` is a budget of 0 (2.5),
the others are levels (3 and later)."""


class Lack(Enum):
    """Something that a request asked for and the model does not have."""

    SYSTEM_INSTRUCTION = "system instruction"
    JSON = "JSON"
    AUDIO = "audio"
    PICTURES = "pictures"
    THINKING = "level of thinking"


class LackError(ProviderError):
    """The model refused something that the request asked for."""

    def __init__(self, message: str, lack: Lack) -> None:
        super().__init__(ErrorKind.BAD_REQUEST, message)
        self.lack = lack


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a request to a model may ask for."""

    system_instruction: bool = True  #: else the persona goes before the first words of the user
    json: bool = True  #: an answer by a schema; else plain text, without emotion and notes
    audio: bool = True  #: the utterance itself
    pictures: bool = True  #: a photo
    thinking: Thinking = "model"  #: the least that the model allows

    @property
    def hears(self) -> bool:
        """Whether it can take the place of speech recognition: that needs a transcript too."""
        return self.audio and self.json

    @property
    def sees(self) -> bool:
        """Whether it can be asked about a photo."""
        return self.pictures

    def without(self, lack: Lack) -> Capabilities:
        """What is left to ask for."""
        match lack:
            case Lack.SYSTEM_INSTRUCTION:
                return replace(self, system_instruction=False)
            case Lack.JSON:
                return replace(self, json=False)
            case Lack.AUDIO:
                return replace(self, audio=False)
            case Lack.PICTURES:
                return replace(self, pictures=False)
            case Lack.THINKING:
                return replace(self, thinking="low" if self.thinking == "minimal" else "model")


_SMALL_GEMMA = Capabilities(system_instruction=False, json=False, audio=False, pictures=False)

_FAMILIES: tuple[tuple[str, Capabilities], ...] = (
    # The longest beginning of a name that fits decides. Gemma 3 refuses a system instruction, JSON
    # and sound; Gemma 4 takes text and pictures. A Flash-Lite does not think unless it is told to.
    ("gemini-2.5-flash", Capabilities(thinking="off")),
    ("gemini-2.5-pro", Capabilities()),
    ("gemini-3", Capabilities(thinking="low")),
    ("gemini-3-flash", Capabilities(thinking="minimal")),
    ("gemini-3.1-flash-lite", Capabilities()),
    ("gemini-3.5-flash", Capabilities(thinking="minimal")),
    ("gemini-3.5-flash-lite", Capabilities()),
    ("gemini-3.6-flash", Capabilities(thinking="minimal")),
    ("gemini-3.7-flash", Capabilities(thinking="minimal")),
    ("gemini-3.8-flash", Capabilities(thinking="low")),  # it no longer has `minimal`
    ("gemini-flash-latest", Capabilities(thinking="low")),  # whichever that is
    ("gemini-pro-latest", Capabilities(thinking="low")),
    ("gemma-3", Capabilities(system_instruction=False, json=False, audio=False)),
    ("gemma-3-1b", _SMALL_GEMMA),
    ("gemma-3n", _SMALL_GEMMA),
    ("gemma", Capabilities(audio=False)),
)


def capabilities(model: str) -> Capabilities:
    """What is known of a model by its name; of an unknown one everything is tried."""
    fitting = [(len(start), known) for start, known in _FAMILIES if model.startswith(start)]
    return max(fitting, key=lambda fit: fit[0], default=(0, Capabilities()))[1]


def lack(code: int, message: str | None) -> Lack | None:
    """What a refusal says that the model does not have; None where it is about something else."""
    said = (message or "").lower()
    if code != 400:
        return None
    if "developer instruction is not enabled" in said or "system instruction is not" in said:
        return Lack.SYSTEM_INSTRUCTION
    if "json mode is not enabled" in said or "response schema is not" in said:
        return Lack.JSON
    if "audio input" in said and "not" in said:
        return Lack.AUDIO
    if "image input" in said and "not" in said:
        return Lack.PICTURES
    # "Thinking level MINIMAL is not supported for this model", "Budget 0 is invalid. This model
    # only works in thinking mode."
    if "thinking" in said and ("not " in said or "invalid" in said):
        return Lack.THINKING
    return None
