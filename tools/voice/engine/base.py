"""What an engine offers that imitates a voice, and what goes in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relay import wav
from relay.audio import Pcm
from relay.llm.extras import MissingExtraError


class UnknownLanguageError(ValueError):
    """The engine does not speak this language."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A voice as it was sent."""

    pcm: Pcm
    rate_hz: int
    text: str  #: what is said in it; empty if nobody knows
    language: str  #: ISO 639-1

    @property
    def floats(self) -> NDArray[np.float32]:
        """Full scale 1."""
        return (self.pcm / 32768).astype(np.float32)

    def file(self) -> io.BytesIO:
        """A WAV file that is nowhere on disk."""
        return io.BytesIO(wav.encode(self.pcm, self.rate_hz))


class Engine(Protocol):
    """One loaded model. Both calls block, and are never made at the same time."""

    def learn(self, sample: Sample) -> Any:
        """What the model makes of a sample: kept in memory, and given back to `speak`."""
        ...

    def speak(self, voice: Any, text: str, language: str) -> Iterator[tuple[Pcm, int]]:
        """Speak a clause in the voice, in pieces as they are ready, with their rate in Hz.

        Raises UnknownLanguageError.
        """
        ...


def package(name: str, engine: str, extra: str) -> ModuleType:
    """The engine's own package. Raises MissingExtraError."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(engine, extra, error) from None


def device_of(torch: ModuleType, wanted: str) -> str:
    """Where to run: as wanted, or the best that there is for `auto`."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def pcm_of(samples: Any) -> Pcm:
    """From what a model gives, full scale 1, in one row or one of one row."""
    row = np.nan_to_num(np.asarray(samples, dtype=np.float32).reshape(-1))
    return np.clip(np.round(row * 32767), -32768, 32767).astype(np.int16)
