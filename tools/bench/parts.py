"""The parts of `doll bench speech`; alone here so that the command line loads no model for them."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What can be measured alone."""

    HEARING = "hearing"
    STT = "stt"
    TTS = "tts"
