"""What all dolls of a relay share: its settings, models, characters and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from relay.activity import Activity
from relay.config import Settings
from relay.devices.shelf import Shelf
from relay.hearing.base import MelodyDetector, VoiceDetector
from relay.hearing.hangover import KnownPauses
from relay.live.live import Live
from relay.llm.chain import Chain
from relay.metrics import turns
from relay.persona import Persona
from relay.persona.personas import Personas
from relay.persona.shared import SharedPersonas
from relay.stt.base import SpeechToText
from relay.tts.base import TextToSpeech
from relay.tts.recorder import Recorder
from relay.tts.repertoire import Repertoire
from relay.tts.voices.usual import OwnOrUsual
from relay.turn.ended import TurnEnded

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Services:
    """One of each for the whole relay; nothing here belongs to one doll."""

    settings: Settings
    detector: VoiceDetector
    stt: SpeechToText | None  #: None where the brain hears by itself
    brain: Chain
    tts: TextToSpeech
    persona: Persona  #: of dolls that have none of their own, as it was when the relay started
    melody: MelodyDetector | None = None  #: hears whether speech sounds complete
    pauses: KnownPauses = field(default_factory=KnownPauses)
    personas: Personas = field(default_factory=Personas)
    shared_personas: SharedPersonas | None = None  #: where the database is everybody's
    activity: Activity = field(default_factory=Activity)
    live: Live = field(default_factory=Live)  #: what happens, for the owner's page
    lines: Repertoire | None = None  #: fixed lines as they were once spoken
    recorder: Recorder | None = None  #: makes more of them
    lines_voice: TextToSpeech | None = None  #: with this voice, where it is not `tts`
    shelf: Shelf | None = None  #: updates for the dolls' firmware
    #: Told of each turn that is over. They must not wait: the doll does, for its `tts stop`.
    onlookers: list[Callable[[TurnEnded], None]] = field(default_factory=lambda: [turns.observe])

    def turn_ended(self, ended: TurnEnded) -> None:
        """Tell the onlookers; what one of them raises is logged, and is nothing to the turn."""
        for tell in self.onlookers:
            try:
                tell(ended)
            except Exception:  # noqa: BLE001 (logged)
                _log.exception("an onlooker failed")

    def persona_of(self, name: str) -> Persona:
        """The persona of that name, or the relay's if it is empty or cannot be used."""
        own = self.personas.of(name) if name else None
        return own or self.personas.default() or self.persona

    def expect(self, persona: Persona) -> None:
        """A doll with this character is there: make ready what it will speak with, and say."""
        if isinstance(self.tts, OwnOrUsual):
            self.tts.warm_up(persona.voice)
        if self.recorder is not None:
            self.recorder.want(persona)

    async def close(self) -> None:
        """Close the providers, each whatever the others do."""
        parts = (
            *(self.detector, self.melody, self.stt, self.brain, self.tts, self.lines_voice),
            self.shared_personas,
        )
        await asyncio.gather(
            *(part.close() for part in parts if part is not None), return_exceptions=True
        )
