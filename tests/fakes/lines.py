"""Fixed lines that are recorded by a voice of a test."""

from __future__ import annotations

from pathlib import Path

from relay.tts.base import TextToSpeech
from relay.tts.repertoire import Repertoire
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual, OwnVoices


def a_repertoire(
    directory: Path, tts: TextToSpeech, lines_voice: TextToSpeech | None = None
) -> Repertoire:
    """The lines in `directory` that the voices of `tts` speak; there are no own voices."""
    shelf = VoiceShelf.of(directory / "data")
    voices = OwnOrUsual(shelf, _none, tts)
    return Repertoire(voices, shelf, OwnVoiceSettings(), directory, "fake", lines_voice)


def _none() -> OwnVoices:
    raise AssertionError("nobody has an own voice here")
