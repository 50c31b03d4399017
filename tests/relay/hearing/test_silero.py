from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing import silero
from relay.hearing.silero import SileroDetector, SileroStream
from relay.hearing.silero_model import CONTEXT_SAMPLES, STATE_SIZE, State


class CountingModel:
    """Its probability is a hundredth of the samples that it has seen first in each frame, summed.

    So an answer tells all that its stream remembers. It works only while `go` is set.
    """

    def __init__(self, threads: int = 1) -> None:
        self.calls: list[int] = []  # frames in each call
        self.go = threading.Event()
        self.go.set()
        self.failure: Exception | None = None

    def fresh(self) -> State:
        return State(
            np.zeros(STATE_SIZE, np.float32),
            np.zeros(STATE_SIZE, np.float32),
            np.zeros(CONTEXT_SAMPLES, np.int16),
        )

    def step(
        self, frames: Sequence[Pcm], states: Sequence[State]
    ) -> tuple[list[float], list[State]]:
        self.calls.append(len(frames))
        assert self.go.wait(30)
        if self.failure is not None:
            raise self.failure
        after = [
            State(state.hidden + frame[0], state.cell, state.context)
            for frame, state in zip(frames, states, strict=True)
        ]
        return [float(state.hidden[0]) / 100 for state in after], after


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> CountingModel:
    model = CountingModel()
    monkeypatch.setattr(silero, "SileroModel", lambda threads: model)
    return model


@pytest.fixture
async def detector(model: CountingModel) -> AsyncIterator[SileroDetector]:
    detector = SileroDetector(gather_s=0)
    yield detector
    model.go.set()
    await detector.close()


def frame(value: int) -> Pcm:
    return np.full(FRAME_SAMPLES, value, np.int16)


async def begin(*calls: Coroutine[Any, Any, float]) -> list[asyncio.Task[float]]:
    """Start calls, and let them come as far as they can without the model."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_each_stream_remembers_its_own(detector: SileroDetector) -> None:
    one, two = detector.stream(), detector.stream()
    assert await one.probability(frame(1)) == pytest.approx(0.01)
    assert await two.probability(frame(10)) == pytest.approx(0.10)
    assert await one.probability(frame(2)) == pytest.approx(0.03)
    assert await two.probability(frame(20)) == pytest.approx(0.30)


async def test_frames_that_wait_while_the_model_works_go_in_one_call(
    detector: SileroDetector, model: CountingModel
) -> None:
    model.go.clear()
    first = await begin(detector.stream().probability(frame(1)))
    rest = await begin(*(detector.stream().probability(frame(n)) for n in range(2, 50)))
    model.go.set()
    heard = await asyncio.gather(*first, *rest)
    assert heard == pytest.approx([n / 100 for n in range(1, 50)])
    assert model.calls == [1, 48]


async def test_frames_that_come_together_go_in_one_call(
    detector: SileroDetector, model: CountingModel
) -> None:
    await asyncio.gather(*(detector.stream().probability(frame(n)) for n in range(20)))
    assert model.calls == [20]


async def test_a_cancelled_frame_never_came_and_disturbs_no_other(
    detector: SileroDetector, model: CountingModel
) -> None:
    streams = [detector.stream() for _ in range(3)]
    model.go.clear()
    [running] = await begin(streams[0].probability(frame(1)))
    [waiting, other] = await begin(*(stream.probability(frame(5)) for stream in streams[1:]))
    running.cancel()
    waiting.cancel()
    await asyncio.wait({running, waiting})
    model.go.set()
    assert await other == pytest.approx(0.05)
    assert model.calls == [1, 1]
    assert [await stream.probability(frame(7)) for stream in streams] == pytest.approx(
        [0.07, 0.07, 0.12]
    )


async def test_a_stream_whose_frame_was_cancelled_can_go_on_before_the_model_is_done(
    detector: SileroDetector, model: CountingModel
) -> None:
    stream = detector.stream()
    model.go.clear()
    [running] = await begin(stream.probability(frame(1)))
    running.cancel()
    [after] = await begin(stream.probability(frame(2)))
    model.go.set()
    assert await after == pytest.approx(0.02)


async def test_reset_forgets_and_a_frame_under_way_does_not_bring_it_back(
    detector: SileroDetector, model: CountingModel
) -> None:
    stream = detector.stream()
    await stream.probability(frame(1))
    model.go.clear()
    [running] = await begin(stream.probability(frame(2)))
    stream.reset()
    model.go.set()
    assert await running == pytest.approx(0.03)
    assert await stream.probability(frame(4)) == pytest.approx(0.04)


async def test_a_failing_model_fails_the_frames_of_that_call_only(
    detector: SileroDetector, model: CountingModel
) -> None:
    streams = [detector.stream(), detector.stream()]
    model.failure = MemoryError("no memory")
    failed = await asyncio.gather(
        *(stream.probability(frame(1)) for stream in streams), return_exceptions=True
    )
    assert [type(error) for error in failed] == [MemoryError, MemoryError]
    model.failure = None
    assert await streams[0].probability(frame(2)) == pytest.approx(0.02)


async def test_a_second_frame_before_the_answer_to_the_first_is_refused(
    detector: SileroDetector, model: CountingModel
) -> None:
    stream = detector.stream()
    model.go.clear()
    [first] = await begin(stream.probability(frame(1)))
    with pytest.raises(RuntimeError, match="still in the detector"):
        await stream.probability(frame(2))
    model.go.set()
    assert await first == pytest.approx(0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(FRAME_SAMPLES - 1, np.int16),
        np.zeros(0, np.int16),
        np.zeros((1, FRAME_SAMPLES), np.int16),
        np.zeros(FRAME_SAMPLES, np.float32),
    ],
)
async def test_what_is_not_a_frame_is_refused(detector: SileroDetector, wrong: Pcm) -> None:
    stream = detector.stream()
    with pytest.raises(ValueError, match="a frame is 512 samples of int16"):
        await stream.probability(wrong)
    assert await stream.probability(frame(1)) == pytest.approx(0.01)


async def test_closing_ends_what_runs_and_refuses_what_waits(model: CountingModel) -> None:
    detector = SileroDetector(gather_s=0)
    late = detector.stream()
    model.go.clear()
    [running] = await begin(detector.stream().probability(frame(1)))
    [waiting] = await begin(detector.stream().probability(frame(2)))
    closing = asyncio.create_task(detector.close())
    await asyncio.wait({waiting})
    model.go.set()
    await closing
    assert await running == pytest.approx(0.01)
    with pytest.raises(RuntimeError, match="closed"):
        await waiting
    with pytest.raises(RuntimeError, match="closed"):
        late.probability(frame(3))
    await detector.close()


@pytest.mark.virtual_time
async def test_the_frames_of_several_dolls_are_gathered_for_a_while(model: CountingModel) -> None:
    detector = SileroDetector(gather_s=0.004)
    now = asyncio.get_running_loop().time
    one, two, three = (detector.stream() for _ in range(3))
    await one.probability(frame(1))

    async def later(stream: SileroStream, delay_s: float) -> float:
        await asyncio.sleep(delay_s)
        await stream.probability(frame(1))
        return now()

    started = now()
    ended = await asyncio.gather(later(two, 0.001), later(three, 0.003), later(one, 0.0035))
    assert [at - started for at in ended] == pytest.approx([0.004] * 3)
    assert model.calls == [1, 3]
    await detector.close()


@pytest.mark.virtual_time
async def test_a_doll_that_talks_alone_never_waits(model: CountingModel) -> None:
    detector = SileroDetector(gather_s=3600)
    now = asyncio.get_running_loop().time
    started, stream = now(), detector.stream()
    for _ in range(60):
        await stream.probability(frame(0))
    assert now() == started
    await detector.close()


@pytest.mark.models
async def test_twenty_dolls_at_once_are_heard_as_each_alone(
    question: Pcm, frames_of: Callable[[Pcm], list[Pcm]]
) -> None:
    detector = SileroDetector()

    async def heard(shift: int) -> list[float]:
        stream = detector.stream()
        return [await stream.probability(f) for f in frames_of(question[shift * 900 :])[:30]]

    together = await asyncio.gather(*(heard(shift) for shift in range(20)))
    for shift in (0, 7, 19):
        assert together[shift] == pytest.approx(await heard(shift), abs=1e-5)
    await detector.close()


async def test_patient_frames_wait_for_others_and_go_with_whoever_is_in_a_hurry(
    detector: SileroDetector, model: CountingModel
) -> None:
    dolls = [detector.stream() for _ in range(3)]
    answers = [doll.probability(frame(1), patient=True) for doll in dolls]
    for _ in range(5):
        await asyncio.sleep(0)
    assert model.calls == []
    await detector.stream().probability(frame(1))
    assert model.calls == [4]
    assert await asyncio.gather(*answers) == pytest.approx([0.01] * 3)


async def test_a_patient_frame_can_be_hurried(
    monkeypatch: pytest.MonkeyPatch, detector: SileroDetector, model: CountingModel
) -> None:
    monkeypatch.setattr(silero, "PATIENCE_S", 3600.0)
    doll = detector.stream()
    answer = doll.probability(frame(1), patient=True)
    doll.hurry()
    assert await answer == pytest.approx(0.01)
    doll.hurry()  # nothing waits
    assert model.calls == [1]


async def test_a_patient_frame_is_looked_at_in_the_end(
    detector: SileroDetector, model: CountingModel
) -> None:
    assert await detector.stream().probability(frame(1), patient=True) == pytest.approx(0.01)


async def test_who_is_hurried_while_the_model_works_is_next(
    monkeypatch: pytest.MonkeyPatch, detector: SileroDetector, model: CountingModel
) -> None:
    monkeypatch.setattr(silero, "PATIENCE_S", 3600.0)
    model.go.clear()
    first = detector.stream().probability(frame(1))
    while not model.calls:
        await asyncio.sleep(0)
    doll = detector.stream()
    second = doll.probability(frame(1), patient=True)
    doll.hurry()
    model.go.set()
    assert await asyncio.gather(first, second) == pytest.approx([0.01] * 2)
