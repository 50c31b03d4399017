"""A detector that takes what is loud for a voice, without a wait, and sounds made for it."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator, Sequence
from typing import Any

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hearing import Hearing, HearingEvent

SETTINGS = EndpointSettings()
LEAD_IN = SETTINGS.lead_in_ms * RATE_HZ // 1000
LEAD_OUT = SETTINGS.lead_out_ms * RATE_HZ // 1000
LIKELY, END = 7, 19  # frames of silence

VOICE, SILENCE = True, False


class Known:
    """An answer that is there at once."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def __await__(self) -> Generator[None, None, float]:
        return self._probability
        yield


class LoudnessStream:
    """Takes what is loud for a voice, and remembers what it was asked."""

    def __init__(self) -> None:
        self.looked = 0
        self.resets = 0

    def probability(self, frame: Pcm, *, patient: bool = False) -> Awaitable[float]:
        self.looked += 1
        return Known(0.9 if abs(int(frame[0])) > 1000 else 0.05)

    def hurry(self) -> None: ...

    def reset(self) -> None:
        self.resets += 1


def audio(*runs: tuple[bool, int]) -> Pcm:
    """Frames of a made-up voice and of a quiet room; no two samples next to each other alike."""
    total = sum(frames for _, frames in runs) * FRAME_SAMPLES
    sound = (np.arange(total) * 7919 % 40 - 20).astype(np.int16)
    at = 0
    for voice, frames in runs:
        if voice:
            sound[at : at + frames * FRAME_SAMPLES] *= 500
            sound[at : at + frames * FRAME_SAMPLES : FRAME_SAMPLES] = 9000
        at += frames * FRAME_SAMPLES
    return sound


def result(call: Coroutine[Any, Any, HearingEvent | None]) -> HearingEvent | None:
    """What a coroutine returns that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as stop:
        value: HearingEvent | None = stop.value
        return value
    raise AssertionError("it waits")


def hear(hearing: Hearing, pcm: Pcm) -> list[HearingEvent]:
    events = [
        result(hearing.push(pcm[at : at + FRAME_SAMPLES]))
        for at in range(0, len(pcm), FRAME_SAMPLES)
    ]
    return [event for event in events if event is not None]


def started(mode: ListenMode, settings: EndpointSettings = SETTINGS) -> Hearing:
    hearing = Hearing(LoudnessStream(), settings)
    hearing.start(mode)
    return hearing


def kinds(events: Sequence[HearingEvent]) -> list[type]:
    return [type(event) for event in events]
