"""Voice detection with Silero: one model and one thread for all dolls.

Frames that wait while the model is busy go into its next call together. So the busier the relay is,
the more frames share the cost of a call and of the hop to the thread, and no frame has a task or a
thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.silero_model import SileroModel, State

#: While several dolls talk, calls to the model start at least this far apart, so that they carry
#: several frames each. An eighth of a frame: little beside the hangover, and a doll that talks
#: alone never waits.
GATHER_S = 0.004

#: A frame whose answer is looked at only when the next frame comes, 32 ms later, waits up to so
#: long for the frames of other dolls. That leaves the model 8 ms, enough for over a hundred.
PATIENCE_S = 0.024


_INT16 = np.dtype(np.int16)


class _Waiting(NamedTuple):
    """A frame on its way through the model."""

    stream: SileroStream
    frame: Pcm
    state: State  #: what the model remembers of the stream before this frame
    answer: asyncio.Future[float]


class SileroDetector:
    """A `VoiceDetector`. Everything but the model's own work happens on the event loop."""

    def __init__(self, threads: int = 1, *, gather_s: float = GATHER_S) -> None:
        """Load the model; it blocks meanwhile. Raises DetectorUnavailableError.

        `threads` work inside one call; 1 is enough for several hundred dolls.
        """
        self._model = SileroModel(threads)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="silero")
        self._gather_s = gather_s
        self._waiting: list[_Waiting] = []
        self._running = False  # a call is under way
        self._start_soon: asyncio.Handle | None = None  # the next one is about to start
        self._hurried = False  # it is for somebody who waits for it
        self._next_start_s = 0.0  # on the event loop's clock
        self._last_alone: SileroStream | None = None  # the stream that had the last call to itself
        self._closed = False

    def stream(self) -> SileroStream:
        return SileroStream(self, self._model.fresh)

    async def close(self) -> None:
        self._closed = True
        waiting, self._waiting = self._waiting, []
        for job in waiting:
            if not job.answer.done():
                job.answer.set_exception(_closed())
                job.answer.exception()  # perhaps nobody looks at it any more: no word in the log
        await asyncio.to_thread(self._worker.shutdown)

    def submit(self, job: _Waiting, *, patient: bool) -> None:
        """Queue one frame. At most one of each stream waits, so the queue is bounded by them."""
        if self._closed:
            raise _closed()
        self._waiting.append(job)
        self._schedule(hurried=not patient)

    def hurry(self) -> None:
        """Somebody waits for a frame that was submitted as patient."""
        self._schedule(hurried=True)

    def _schedule(self, *, hurried: bool) -> None:
        """Have what waits looked at: at once for a doll that talks alone, else in due time."""
        if self._start_soon is not None and hurried and not self._hurried:
            self._start_soon.cancel()
            self._start_soon = None
        self._hurried |= hurried
        if self._running or self._start_soon is not None or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        alone = len(self._waiting) == 1 and self._waiting[0].stream is self._last_alone
        if not self._hurried:
            self._start_soon = loop.call_later(PATIENCE_S, self._start, loop)
        elif alone or loop.time() >= self._next_start_s:
            # Not in this very step of the loop: other frames may have arrived in it, too.
            self._start_soon = loop.call_soon(self._start, loop)
        else:
            self._start_soon = loop.call_at(self._next_start_s, self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [job for job in self._waiting if not job.answer.done()]
        self._waiting = []
        self._start_soon, self._hurried = None, False
        if not batch or self._closed:
            return
        self._running = True
        self._next_start_s = loop.time() + self._gather_s
        self._last_alone = batch[0].stream if len(batch) == 1 else None
        call = loop.run_in_executor(
            self._worker,
            self._model.step,
            [job.frame for job in batch],
            [job.state for job in batch],
        )
        call.add_done_callback(self._deliver_to(batch))

    def _deliver_to(
        self, batch: list[_Waiting]
    ) -> Callable[[asyncio.Future[tuple[list[float], list[State]]]], None]:
        def deliver(call: asyncio.Future[tuple[list[float], list[State]]]) -> None:
            self._running = False
            error = call.exception()
            if error is not None:
                for job in batch:
                    if not job.answer.done():
                        job.answer.set_exception(error)
            else:
                for job, probability, state in zip(batch, *call.result(), strict=True):
                    # An answer that was cancelled has moved nothing: the frame never came.
                    if not job.answer.done():
                        job.stream.advance(job.state, state)
                        job.answer.set_result(probability)
            self._schedule(hurried=self._hurried)

        return deliver


class SileroStream:
    """A `VoiceStream`: what Silero remembers of one doll. Used on the event loop only."""

    __slots__ = ("_answer", "_detector", "_fresh", "_state")

    def __init__(self, detector: SileroDetector, fresh: Callable[[], State]) -> None:
        self._detector = detector
        self._fresh = fresh
        self._state = fresh()
        self._answer: asyncio.Future[float] | None = None

    def probability(self, frame: Pcm, *, patient: bool = False) -> asyncio.Future[float]:
        if frame.shape != (FRAME_SAMPLES,) or frame.dtype != _INT16:
            raise ValueError(
                f"a frame is {FRAME_SAMPLES} samples of int16, not {frame.shape} of {frame.dtype}"
            )
        if self._answer is not None and not self._answer.done():
            raise RuntimeError("the frame before is still in the detector")
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._detector.submit(_Waiting(self, frame, self._state, answer), patient=patient)
        return answer

    def hurry(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._detector.hurry()

    def reset(self) -> None:
        self._state = self._fresh()

    def advance(self, before: State, after: State) -> None:
        """Remember what the model made of a frame, unless a reset came in between."""
        if self._state is before:
            self._state = after


def _closed() -> RuntimeError:
    return RuntimeError("the voice detector is closed")
