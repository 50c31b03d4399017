"""This machine's own microphone and speakers, through the package `sounddevice` (PortAudio)."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from relay.audio import RATE_HZ, Pcm
from tools.simulator.errors import SimulatorError
from tools.texts import texts

#: A recording ends here, if nobody ends it before.
MAX_RECORDING_S = 30


class Recording:
    """What the microphone hears, up to `MAX_RECORDING_S`.

    `over` is set when no more will come: at that limit, or because the microphone is gone.
    """

    def __init__(self, rate_hz: int, stop: type[Exception]) -> None:
        self._rate_hz = rate_hz
        self._stop = stop
        self._blocks: list[NDArray[np.int16]] = []
        self._missing = MAX_RECORDING_S * rate_hz  #: samples up to the limit
        self._loop = asyncio.get_running_loop()
        self.over = asyncio.Event()

    @property
    def full(self) -> bool:
        """True if it ended at the limit."""
        return self._missing <= 0

    def take(self, samples: NDArray[np.int16], *_: object) -> None:
        """Takes the next samples, of shape (frames, 1); PortAudio calls this in its own thread."""
        self._blocks.append(samples[: max(self._missing, 0), 0].copy())  # PortAudio's own buffer
        self._missing -= len(samples)
        if self.full:
            raise self._stop

    def end(self) -> None:
        """Tells that no more will come; called like `take`."""
        self._loop.call_soon_threadsafe(self.over.set)

    def pcm(self) -> Pcm:
        """All of it, as 16-bit mono samples at 16 kHz.

        Raises:
            SimulatorError: it is digital silence, which a working microphone never gives.
        """
        pcm = np.concatenate([np.empty(0, np.int16), *self._blocks])
        if not pcm.any():
            raise SimulatorError(texts(__file__)["only_silence"])
        return _resampled(pcm, self._rate_hz, RATE_HZ)


class Sound:
    """The microphone and the speakers that the system's settings name.

    Raises:
        SimulatorError: the package, or the library that it needs, is missing.
    """

    def __init__(self) -> None:
        try:
            self._sounddevice: Any = importlib.import_module("sounddevice")
        except (ImportError, OSError) as error:  # OSError: without the PortAudio library
            raise SimulatorError(texts(__file__)["no_sound"]) from error

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Records while the context is open; what still plays is silenced, or it would be heard.

        Raises:
            SimulatorError: no microphone can be opened.
        """
        self._sounddevice.stop()
        with self._device("input") as rate_hz:
            recording = Recording(rate_hz, self._sounddevice.CallbackStop)
            with self._sounddevice.InputStream(
                samplerate=rate_hz,
                channels=1,
                dtype="int16",
                callback=recording.take,
                finished_callback=recording.end,
            ):
                yield recording

    def play(self, pcm: Pcm) -> None:
        """Starts to play samples at 16 kHz, in place of what still plays.

        Raises:
            SimulatorError: no speakers can be opened.
        """
        with self._device("output") as rate_hz:
            self._sounddevice.play(_resampled(pcm, RATE_HZ, rate_hz), rate_hz)

    @contextmanager
    def _device(self, kind: str) -> Iterator[int]:
        """The rate at which to open the "input" or the "output": 16 kHz, or the device's own."""
        check = getattr(self._sounddevice, f"check_{kind}_settings")
        try:
            try:
                check(channels=1, dtype="int16", samplerate=RATE_HZ)
                rate_hz = RATE_HZ
            except self._sounddevice.PortAudioError:
                own = self._sounddevice.query_devices(kind=kind)
                rate_hz = round(own["default_samplerate"])
            yield rate_hz
        except self._sounddevice.PortAudioError as error:
            text = texts(__file__)[f"no_{kind}"].format(error=error)
            raise SimulatorError(text) from error


def _resampled(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    return pcm if from_hz == to_hz else soxr.resample(pcm, from_hz, to_hz)
