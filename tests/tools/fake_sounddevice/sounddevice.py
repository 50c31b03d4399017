"""Stands in for the package `sounddevice`: what its microphone hears and speakers play is known.

It has what tools/simulator/sound.py uses, and like PortAudio it calls back from another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

#: The rates of the microphone and of the speakers, their own first; none: there is no such device.
rates: dict[str, list[int]] = {"input": [16_000], "output": [16_000]}

#: What the microphone hears, at its rate. All of it has come before a stream is closed.
hears = np.empty(0, np.int16)

#: True if the microphone is unplugged behind `hears`.
unplugged = False

log: list[str] = []

_BLOCK = 480


class PortAudioError(Exception):
    pass


class CallbackStop(Exception):  # noqa: N818 - the name that the package gives it
    pass


def query_devices(kind: str) -> dict[str, Any]:
    if not rates[kind]:
        raise PortAudioError("Error querying device -1")
    return {"default_samplerate": float(rates[kind][0])}


def check_input_settings(channels: int, dtype: str, samplerate: float) -> None:
    _check("input", samplerate)


def check_output_settings(channels: int, dtype: str, samplerate: float) -> None:
    _check("output", samplerate)


def _check(kind: str, rate_hz: float) -> None:
    query_devices(kind)
    if rate_hz not in rates[kind]:
        raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")


class InputStream:
    def __init__(
        self,
        samplerate: float,
        channels: int,
        dtype: str,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
    ) -> None:
        check_input_settings(channels, dtype, samplerate)
        self._callback = callback
        self._finished = finished_callback
        self._thread = threading.Thread(target=self._run)
        self._stop = threading.Event()

    def __enter__(self) -> InputStream:
        log.append("record")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        buffer = np.empty((_BLOCK, 1), np.int16)  # one for all blocks, as PortAudio has it
        try:
            for start in range(0, len(hears), _BLOCK):
                block = buffer[: len(hears[start : start + _BLOCK])]
                block[:, 0] = hears[start : start + _BLOCK]
                self._callback(block, len(block), None, None)
        except CallbackStop:
            pass
        else:
            if not unplugged:
                self._stop.wait()
        self._finished()


def play(samples: np.ndarray, rate_hz: int) -> None:
    _check("output", rate_hz)
    log.append(f"play {len(samples)} samples at {rate_hz} Hz")
    print(log[-1])


def stop() -> None:
    log.append("stop")
