"""What all dolls of a relay share: its settings, models, character and memory."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from relay import locales
from relay.config import Settings
from relay.devices.shelf import Shelf
from relay.hearing.base import MelodyDetector, VoiceDetector
from relay.hearing.hangover import KnownPauses
from relay.llm.base import LanguageModel
from relay.memory.conversation import Conversations
from relay.persona import Persona
from relay.stt.base import SpeechToText
from relay.tts.base import TextToSpeech


@dataclass(slots=True)
class Services:
    """One of each for the whole relay; nothing here belongs to one doll."""

    settings: Settings
    detector: VoiceDetector
    stt: SpeechToText
    llm: LanguageModel
    tts: TextToSpeech
    persona: Persona
    melody: MelodyDetector | None = None  #: hears whether speech sounds complete
    pauses: KnownPauses = field(default_factory=KnownPauses)
    conversations: Conversations = field(default_factory=Conversations)
    shelf: Shelf | None = None  #: updates for the dolls' firmware
    _last_line: dict[str, str] = field(default_factory=dict)

    def line(self, key: str, language: str) -> str:
        """A fixed line in the persona's wording, else the shipped one; never twice in a row."""
        variants = self.persona.lines.get(language, {}).get(key) or locales.variants(language, key)
        fresh = [variant for variant in variants if variant != self._last_line.get(key)]
        self._last_line[key] = choice = random.choice(fresh or variants)  # noqa: S311
        return choice

    async def close(self) -> None:
        """Close the providers, each whatever the others do."""
        parts = (self.detector, self.melody, self.stt, self.llm, self.tts)
        await asyncio.gather(
            *(part.close() for part in parts if part is not None), return_exceptions=True
        )
