"""Stand-ins for the packages of the engines: their calls with their arguments, and a tone.

The signatures are those of qwen-tts 0.1.1 and chatterbox-tts 0.1.7 (`TypeError` for any other
argument), and so are the checks that need no weights. Torch is as much as the adapters use.
"""

from __future__ import annotations

import wave
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

RATE_HZ = 24_000
TONE = 0.5 * np.sin(np.arange(RATE_HZ) / 10).astype(np.float32)

_QWEN_LANGUAGES = {
    "auto", "chinese", "english", "japanese", "korean", "german", "french", "russian",
    "portuguese", "spanish", "italian",
}  # fmt: skip


class Tensor:
    """A row of floats, as torch gives it."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._values, dtype)


def torch(*, cuda: bool = False) -> ModuleType:
    module = ModuleType("torch")
    module.cuda = SimpleNamespace(is_available=lambda: cuda)  # type: ignore[attr-defined]
    module.bfloat16, module.float32 = "bfloat16", "float32"  # type: ignore[attr-defined]
    return module


class Qwen3TTSModel:
    """`qwen_tts.Qwen3TTSModel`."""

    def __init__(self, name: str, kwargs: dict[str, Any]) -> None:
        self.name, self.kwargs = name, kwargs
        self.asked: list[dict[str, Any]] = []

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str, **kwargs: Any) -> Qwen3TTSModel:
        assert set(kwargs) <= {"device_map", "dtype", "attn_implementation"}
        return cls(pretrained_model_name_or_path, kwargs)

    def create_voice_clone_prompt(
        self,
        ref_audio: Any,
        ref_text: str | None = None,
        x_vector_only_mode: bool = False,
    ) -> list[dict[str, Any]]:
        samples, rate_hz = ref_audio
        assert isinstance(samples, np.ndarray)
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert np.abs(samples).max() <= 1
        if not x_vector_only_mode and not ref_text:
            raise ValueError("ref_text is required when x_vector_only_mode=False (ICL mode).")
        return [{"rate_hz": rate_hz, "text": ref_text, "timbre_only": x_vector_only_mode}]

    def generate_voice_clone(
        self,
        text: str,
        language: str | None = None,
        ref_audio: Any = None,
        ref_text: str | None = None,
        x_vector_only_mode: bool = False,
        voice_clone_prompt: list[dict[str, Any]] | None = None,
        non_streaming_mode: bool = False,
        **kwargs: Any,
    ) -> tuple[list[np.ndarray], int]:
        # Others go on to transformers' generate, which refuses what it does not know.
        assert set(kwargs) <= {"max_new_tokens", "temperature", "top_k", "top_p", "do_sample"}
        if str(language).lower() not in _QWEN_LANGUAGES:
            raise ValueError(f"Unsupported languages: {[language]}")
        if voice_clone_prompt is None and ref_audio is None:
            raise ValueError("Either `voice_clone_prompt` or `ref_audio` must be provided.")
        self.asked.append({"text": text, "language": language, "voice": voice_clone_prompt})
        return [TONE], RATE_HZ


def qwen_tts() -> ModuleType:
    module = ModuleType("qwen_tts")
    module.Qwen3TTSModel = Qwen3TTSModel  # type: ignore[attr-defined]
    return module


class ChatterboxMultilingualTTS:
    """`chatterbox.mtl_tts.ChatterboxMultilingualTTS`."""

    def __init__(self, device: str, folder: str = "") -> None:
        self.sr = RATE_HZ
        self.device, self.folder = device, folder
        self.conds: Any = None
        self.asked: list[dict[str, Any]] = []

    @classmethod
    def from_local(cls, ckpt_dir: str, device: str) -> ChatterboxMultilingualTTS:
        return cls(device, str(ckpt_dir))

    @classmethod
    def from_pretrained(cls, device: str) -> ChatterboxMultilingualTTS:
        return cls(device)

    def prepare_conditionals(self, wav_fpath: Any, exaggeration: float = 0.5) -> None:
        with wave.open(wav_fpath) as file:  # librosa.load takes what soundfile does, files too
            self.conds = {"frames": file.getnframes()}

    def generate(
        self,
        text: str,
        language_id: str,
        audio_prompt_path: Any = None,
        exaggeration: float = 0.5,
        cfg_weight: float = 0.5,
        temperature: float = 0.8,
        repetition_penalty: float = 2.0,
        min_p: float = 0.05,
        top_p: float = 1.0,
    ) -> Tensor:
        assert self.conds is not None, "Please `prepare_conditionals` first"
        self.asked.append({"text": text, "language": language_id, "voice": self.conds})
        return Tensor(TONE[None])


def mtl_tts() -> ModuleType:
    module = ModuleType("chatterbox.mtl_tts")
    module.ChatterboxMultilingualTTS = ChatterboxMultilingualTTS  # type: ignore[attr-defined]
    return module
