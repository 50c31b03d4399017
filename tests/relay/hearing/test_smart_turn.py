from __future__ import annotations

import asyncio
import importlib.util
import threading
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.hearing.base import DetectorUnavailableError
from relay.hearing.smart_turn import SmartTurn, SmartTurnEngine
from relay.worker import Worker

installed = pytest.mark.skipif(
    importlib.util.find_spec("pipecat") is None,
    reason="its model is missing: pip install --no-deps pipecat-ai==1.14.0",
)


class Scripted:
    """Stands in for the engine."""

    def __init__(self, probability: float | Exception) -> None:
        self.probability_ = probability
        self.go_on = threading.Event()
        self.go_on.set()

    def probability(self, utterance: Pcm) -> float:
        self.go_on.wait(10)
        if isinstance(self.probability_, Exception):
            raise self.probability_
        return self.probability_


def smart_turn(engine: Scripted, waiting: int = 6) -> SmartTurn:
    return SmartTurn(cast("SmartTurnEngine", engine), Worker("Smart Turn", waiting))


SPEECH = np.zeros(RATE_HZ, np.int16)


@pytest.mark.parametrize(("probability", "complete"), [(0.69, False), (0.7, True)])
async def test_it_has_to_be_sure(probability: float, complete: bool) -> None:
    detector = smart_turn(Scripted(probability))
    assert await detector.sounds_complete(SPEECH) is complete
    await detector.close()


async def test_a_model_that_breaks_shortens_nothing() -> None:
    detector = smart_turn(Scripted(RuntimeError("broken")))
    assert not await detector.sounds_complete(SPEECH)
    await detector.close()


async def test_when_too_many_ask_the_last_is_told_at_once_that_it_is_not_known() -> None:
    engine = Scripted(0.9)
    engine.go_on.clear()
    detector = smart_turn(engine, waiting=1)
    first = [asyncio.create_task(detector.sounds_complete(SPEECH)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not await detector.sounds_complete(SPEECH)
    engine.go_on.set()
    assert await asyncio.gather(*first) == [True, True]
    await detector.close()
    assert not await detector.sounds_complete(SPEECH)


async def test_without_its_model_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOLL_MODELS", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DetectorUnavailableError, match="pip install --no-deps pipecat-ai"):
        await SmartTurn.load()


@installed
@pytest.mark.models
async def test_a_whole_question_sounds_complete_and_half_of_it_does_not(question: Pcm) -> None:
    detector = await SmartTurn.load()
    still = np.zeros(RATE_HZ // 5, np.int16)
    assert await detector.sounds_complete(np.concatenate((question, still)))
    assert await detector.sounds_complete(np.concatenate((question,) * 12))  # longer than it hears
    assert not await detector.sounds_complete(question[: len(question) * 6 // 10])
    await detector.close()


@installed
@pytest.mark.models
@pytest.mark.parametrize("samples", [0, 1, 100])
def test_next_to_nothing_can_be_judged(samples: int) -> None:
    assert 0 <= SmartTurnEngine().probability(np.zeros(samples, np.int16)) <= 1
