"""All voices that a doll can be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from relay.tts.base import TextToSpeech
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from relay.tts.voices.voice import PREFIX, VoiceError


@runtime_checkable
class Choice(Protocol):
    """A TextToSpeech that can say which voices it has, or was set to use."""

    def voices(self) -> list[str]:
        """Their names, as a persona names them. Asks no service."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One voice."""

    id: str  #: as a persona names it; empty for the relay's usual one
    name: str  #: for a person; empty for the relay's usual one
    kind: Literal["usual", "provider", "own"]
    language: str = ""  #: ISO 639-1, of an own voice's sample
    speaker: str = ""  #: who gave an own voice


def gallery(tts: TextToSpeech, shelf: VoiceShelf) -> list[Shown]:
    """The usual voice, those of its provider, and the owner's own. Looks at the disk: blocks."""
    shown = [Shown("", "", "usual")]
    provider = usual_of(tts)
    if isinstance(provider, Choice):
        names = dict.fromkeys(name for name in provider.voices() if name)
        shown += [Shown(name, name, "provider") for name in names]
    for name in shelf.names():
        try:
            own = shelf.get(name)
        except VoiceError:
            continue  # `doll voice list` says why
        shown.append(Shown(PREFIX + name, name, "own", own.language, own.speaker))
    return shown


def usual_of(tts: TextToSpeech) -> TextToSpeech:
    """The provider that was chosen: neither the own voices around it nor one that stands in."""
    return tts.usual if isinstance(tts, OwnOrUsual) else tts


async def speaker_of(tts: TextToSpeech, voice: str) -> tuple[TextToSpeech, str]:
    """Who speaks as this voice and as no other, and how it is called there."""
    return await tts.alone(voice) if isinstance(tts, OwnOrUsual) else (tts, voice)
