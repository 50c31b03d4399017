"""A voice detector that takes whatever is loud for a voice: for virtual time, where models only
cost."""

from __future__ import annotations

import asyncio

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm


class LoudnessDetector:
    """Keeps the contract of `relay.hearing.base.VoiceDetector` without a model."""

    def __init__(self) -> None:
        self.frames = 0
        self.closed = False

    def stream(self) -> LoudnessStream:
        return LoudnessStream(self)

    async def close(self) -> None:
        self.closed = True


class LoudnessStream:
    def __init__(self, detector: LoudnessDetector) -> None:
        self._detector = detector

    def probability(self, frame: Pcm, *, patient: bool = False) -> asyncio.Future[float]:  # noqa: ARG002
        if frame.shape != (FRAME_SAMPLES,) or frame.dtype != np.int16:
            raise ValueError(f"{frame.shape} of {frame.dtype} is no frame")
        self._detector.frames += 1
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        loud = np.abs(frame.astype(np.int32)).max() > 1000
        answer.set_result(0.95 if loud else 0.02)
        return answer

    def hurry(self) -> None: ...

    def reset(self) -> None: ...
