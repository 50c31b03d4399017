"""Qwen3-TTS by the package qwen-tts: Korean and nine other languages, Apache-2.0.

It takes a clause whole and gives the whole clause: `non_streaming_mode` of this package only
simulates streaming of the text. For speech that streams, vLLM-Omni serves the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from relay.audio import Pcm
from relay.tts.remote import LONGEST_S
from relay.tts.voices.dialects import QWEN_LANGUAGES
from tools.voice.engine.base import Sample, device_of, package, pcm_of

MODEL: Final = "Qwen/Qwen3-TTS-12Hz-0.6B-Base"

#: The codec has 12.5 tokens a second. With the default of 2048, a model that loops speaks for
#: minutes.
MAX_TOKENS: Final = round(12.5 * LONGEST_S)


class QwenEngine:
    """An `Engine`."""

    def __init__(self, model: Any) -> None:
        """`model` is a `qwen_tts.Qwen3TTSModel`."""
        self._model = model

    @classmethod
    def load(cls, model: str = "", device: str = "auto") -> QwenEngine:
        """Load the weights, which are downloaded the first time (gigabytes).

        `model` is a repository of the hub or a folder; empty for `MODEL`. Raises MissingExtraError.
        """
        qwen_tts = package("qwen_tts", "Qwen3-TTS", "voice-qwen")
        torch = package("torch", "Qwen3-TTS", "voice-qwen")
        device = device_of(torch, device)
        kind = torch.bfloat16 if device.startswith("cuda") else torch.float32
        return cls(
            qwen_tts.Qwen3TTSModel.from_pretrained(model or MODEL, device_map=device, dtype=kind)
        )

    def learn(self, sample: Sample) -> Any:
        """See `Engine.learn`. With a text it imitates the manner too, without one the timbre."""
        return self._model.create_voice_clone_prompt(
            ref_audio=(sample.floats, sample.rate_hz),
            ref_text=sample.text or None,
            x_vector_only_mode=not sample.text,
        )

    def speak(self, voice: Any, text: str, language: str) -> Iterator[tuple[Pcm, int]]:
        """See `Engine.speak`. Any language it does not know is left to it."""
        waves, rate_hz = self._model.generate_voice_clone(
            text=text,
            language=QWEN_LANGUAGES.get(language, "Auto"),
            voice_clone_prompt=voice,
            max_new_tokens=MAX_TOKENS,
        )
        yield pcm_of(waves[0]), int(rate_hz)
