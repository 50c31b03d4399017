"""What measurements can be narrowed to; here so that the command line loads no model for it."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """The parts of `doll bench speech`."""

    HEARING = "hearing"
    STT = "stt"
    TTS = "tts"


class Format(StrEnum):
    """An audio format of the wire."""

    ADPCM = "adpcm"
    OPUS = "opus"
