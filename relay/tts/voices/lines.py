"""Fixed lines that were recorded with an own voice: they lie beside its sample and go with it."""

from __future__ import annotations

import shutil

from relay.audio import Pcm
from relay.tts.lines import RecordedLines
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import LINES, VoiceShelf
from relay.tts.voices.voice import OwnVoice


class OwnLines(RecordedLines):
    """`RecordedLines` in the folder of a voice; none are there any more once it is deleted."""

    def __init__(self, shelf: VoiceShelf, voice: OwnVoice, engine: str, rate_hz: int) -> None:
        """`engine` tells apart what speaks with the voice."""
        self._shelf = shelf
        self._name_of_voice = voice.name
        folder = shelf.folder(voice.name) / LINES
        super().__init__(folder, f"{voice.key}/{engine}", rate_hz)

    def has(self, text: str, language: str) -> bool:
        """See `RecordedLines.has`."""
        return super().has(text, language) and self._shelf.has(self._name_of_voice)

    async def get(self, text: str, language: str) -> Pcm | None:
        """See `RecordedLines.get`."""
        return await super().get(text, language) if self.has(text, language) else None

    def _write(self, name: str, pcm: Pcm) -> set[str]:
        """Keep a recording, but never bring the folder of a deleted voice back."""
        folder = self._shelf.folder(self._name_of_voice)
        self._must_be_there()
        dropped = super()._write(name, pcm)
        if not self._shelf.has(self._name_of_voice):  # deleted meanwhile
            shutil.rmtree(folder, ignore_errors=True)
        self._must_be_there()
        return dropped

    def _must_be_there(self) -> None:
        if not self._shelf.has(self._name_of_voice):
            raise FileNotFoundError(f"the voice {self._name_of_voice} was deleted")


def own_lines(
    shelf: VoiceShelf, name: str, settings: OwnVoiceSettings, rate_hz: int
) -> RecordedLines:
    """The lines of a voice that is on the shelf, spoken by the server of the settings.

    Raises VoiceError.
    """
    # A key is hidden in `repr`, and this goes into a digest only.
    return OwnLines(shelf, shelf.get(name), repr(settings), rate_hz)
