"""Fixed lines that were recorded with an own voice: they lie beside its sample and go with it."""

from __future__ import annotations

import shutil

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.tts.cache import ClauseCache
from relay.tts.lines import RecordedLines
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import LINES, VoiceShelf
from relay.tts.voices.voice import OwnVoice, VoiceError


class OwnLines(RecordedLines):
    """`RecordedLines` in the folder of a voice; none are there any more once it is deleted."""

    def __init__(
        self,
        shelf: VoiceShelf,
        voice: OwnVoice,
        engine: str,
        rate_hz: int,
        recent: ClauseCache | None = None,
    ) -> None:
        """`engine` tells apart what speaks with the voice."""
        self._shelf = shelf
        self._of = voice
        folder = shelf.folder(voice.name) / LINES
        super().__init__(folder, f"{voice.key}/{engine}", rate_hz, recent=recent)

    def has(self, text: str, language: str) -> bool:
        """See `RecordedLines.has`."""
        return super().has(text, language) and self._shelf.has(self._of.name)

    async def get(self, text: str, language: str) -> Pcm | None:
        """See `RecordedLines.get`."""
        return await super().get(text, language) if self.has(text, language) else None

    def _write(self, name: str, pcm: Pcm) -> set[str]:
        """Keep a recording, but never bring the folder of a deleted voice back.

        Raises ProviderError (BAD_REQUEST) once the voice was deleted or has another sample.
        """
        gone = ProviderError(ErrorKind.BAD_REQUEST, f"The voice {self._of.name} was deleted.")
        if not self._is_there():
            raise gone
        dropped = super()._write(name, pcm)
        if not self._is_there():  # deleted meanwhile
            folder = self._shelf.folder(self._of.name)
            if self._shelf.has(self._of.name):  # and another one has its name
                self._path(name).unlink(missing_ok=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            raise gone
        return dropped

    def _is_there(self) -> bool:
        try:
            return self._shelf.get(self._of.name).key == self._of.key
        except VoiceError:
            return False


def own_lines(
    shelf: VoiceShelf,
    name: str,
    settings: OwnVoiceSettings,
    rate_hz: int,
    recent: ClauseCache | None = None,
) -> RecordedLines:
    """The lines of a voice that is on the shelf, spoken by the server of the settings.

    Raises VoiceError.
    """
    # A key is hidden in `repr`, and this goes into a digest only.
    return OwnLines(shelf, shelf.get(name), repr(settings), rate_hz, recent)
