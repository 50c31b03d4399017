"""WAV files of people: any PCM WAV in, what the doll's microphone takes out."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from relay.audio import RATE_HZ, Pcm
from tools.simulator.errors import SimulatorError

#: A question longer than this is a mistake.
MAX_QUESTION_S = 120

#: Samples quieter than this (-50 dBFS) are the room, the codec or dither, not speech.
LOUD = 100


def read_question(path: Path) -> Pcm:
    """The WAV file at `path` as 16-bit mono samples at 16 kHz.

    Takes PCM of 8, 16, 24 and 32 bits, any rate and any number of channels.

    Raises:
        SimulatorError: there is no such file, it is no PCM WAV, is empty, or is too long.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            if file.getnframes() > MAX_QUESTION_S * rate:
                raise SimulatorError(f"{path} is longer than {MAX_QUESTION_S} s: cut it")
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise SimulatorError(f"{path} is no PCM WAV file ({error}): save it as 16-bit") from error
    except OSError as error:
        raise SimulatorError(f"cannot read {path}: {error.strerror}") from error
    data = data[: len(data) - len(data) % (width * channels)]
    if not data:
        raise SimulatorError(f"{path} holds no samples")
    mono: NDArray[np.float64] = _samples(data, width).reshape(-1, channels).mean(axis=1)
    if rate != RATE_HZ:
        mono = soxr.resample(mono, rate, RATE_HZ)
    return np.clip(np.rint(mono), -32768, 32767).astype(np.int16)


def _samples(data: bytes, width: int) -> NDArray[np.float64]:
    """PCM of any width on the scale of 16 bits."""
    if width == 1:  # the only unsigned one
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if width == 2:
        return np.frombuffer(data, "<i2").astype(np.float64)
    if width == 3:
        # The upper three bytes of a 32-bit sample.
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data = padded.tobytes()
    return np.frombuffer(data, "<i4").astype(np.float64) / 65536


def write_wav(path: Path, pcm: Pcm, rate_hz: int = RATE_HZ) -> None:
    """Writes 16-bit mono samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.astype("<i2").tobytes())


def loud_span(pcm: Pcm, loud: int = LOUD) -> tuple[int, int] | None:
    """The first loud sample and the one behind the last, or None in silence."""
    where = np.flatnonzero(np.abs(pcm.astype(np.int32)) >= loud)
    if not len(where):
        return None
    return int(where[0]), int(where[-1]) + 1
