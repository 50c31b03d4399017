"""Chatterbox multilingual by the package chatterbox-tts: 23 languages with Korean, MIT.

All that it says carries an inaudible watermark (Perth), which tells that it is synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relay.audio import Pcm
from relay.tts.voices.dialects import CHATTERBOX_LANGUAGES
from tools.voice.engine.base import Sample, UnknownLanguageError, device_of, package, pcm_of


class ChatterboxEngine:
    """An `Engine`."""

    def __init__(self, model: Any) -> None:
        """`model` is a `chatterbox.mtl_tts.ChatterboxMultilingualTTS`."""
        self._model = model

    @classmethod
    def load(cls, model: str = "", device: str = "auto") -> ChatterboxEngine:
        """Load the weights, which are downloaded the first time (gigabytes).

        `model` is a folder; empty for those of the hub. Raises MissingExtraError.
        """
        chatterbox = package("chatterbox.mtl_tts", "Chatterbox", "voice-chatterbox")
        torch = package("torch", "Chatterbox", "voice-chatterbox")
        device = device_of(torch, device)
        kind = chatterbox.ChatterboxMultilingualTTS
        return cls(kind.from_local(model, device) if model else kind.from_pretrained(device))

    def learn(self, sample: Sample) -> Any:
        """See `Engine.learn`. The first six to ten seconds count; what is said in them does not."""
        self._model.prepare_conditionals(sample.file())
        return self._model.conds

    def speak(self, voice: Any, text: str, language: str) -> Iterator[tuple[Pcm, int]]:
        """See `Engine.speak`."""
        if language not in CHATTERBOX_LANGUAGES:
            known = ", ".join(CHATTERBOX_LANGUAGES)
            raise UnknownLanguageError(f"Chatterbox does not speak {language!r}; it speaks {known}")
        self._model.conds = voice
        wave = self._model.generate(text, language_id=language)
        yield pcm_of(wave), int(self._model.sr)
