from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay.stt.base import Transcript
from relay.turn.calling import Calling
from relay.turn.earshot import Earshot, Heard, ListenSettings
from relay.turn.timeline import Timeline

CHACHA = Calling(["차차"])


def earshot(*, by_name: bool = True) -> Earshot:
    return Earshot(ListenSettings(by_name=by_name, follow_s=8.0), lambda: CHACHA)


async def heard(text: str, after_s: float = 0.0) -> Heard:
    async def said() -> Transcript:
        await asyncio.sleep(after_s)
        return Transcript(text, "ko")

    task = asyncio.create_task(said())
    if not after_s:
        await task
    return Heard(task, np.zeros(1, np.int16), Timeline(speech_end=5.0))


@pytest.mark.parametrize(
    ("began", "busy", "needs"),
    [(9.9, False, True), (10.0, False, False), (18.5, False, False), (18.6, False, True)],
)
def test_after_an_answer_no_name_is_needed_for_a_while(
    began: float, busy: bool, needs: bool
) -> None:
    ears = earshot()
    ears.open(10.0, 10.5)
    assert ears.needs_name(began, busy=busy) is needs
    assert ears.needs_name(began, busy=True)


def test_without_the_mode_everything_is_meant() -> None:
    assert not earshot(by_name=False).needs_name(0.0, busy=True)


async def test_what_calls_the_doll_is_meant_and_all_before_it_is_dropped() -> None:
    ears = earshot()
    ears.add(await heard("피자 시켜 먹자"))
    called = await heard("차차야 몇 시야")
    ears.add(called)
    assert ears.meant(6.0, busy=False, speaks=False) is called
    assert not ears.waits


async def test_an_utterance_is_judged_in_its_turn_once_its_text_is_there() -> None:
    ears = earshot()
    slow = await heard("차차야 몇 시야", after_s=60.0)
    ears.add(slow)
    ears.add(await heard("차차야 잘 자"))
    assert ears.meant(6.0, busy=False, speaks=False) is None
    assert ears.waits
    ears.clear()
    await asyncio.wait((slow.said,))
    assert slow.said.cancelled()


async def test_no_more_than_two_wait() -> None:
    ears = earshot()
    waiting = [await heard("차차야", after_s=60.0) for _ in range(3)]
    for each in waiting:
        ears.add(each)
    await asyncio.wait((waiting[0].said,))
    assert [each.said.cancelled() for each in waiting] == [True, False, False]
    ears.clear()
    await asyncio.wait([each.said for each in waiting])


async def test_who_speaks_on_behind_the_name_is_not_answered_yet() -> None:
    ears = earshot()
    ears.add(await heard("차차야"))
    assert ears.meant(6.0, busy=False, speaks=True) is None
    assert not ears.needs_name(5.5, busy=False)  # what followed the name is meant


@pytest.mark.parametrize(("busy", "meant"), [(True, True), (False, False)])
async def test_an_answer_that_runs_may_be_stopped_without_a_name(busy: bool, meant: bool) -> None:
    ears = earshot()
    ears.add(await heard("그만해"))
    assert (ears.meant(6.0, busy=busy, speaks=False) is not None) is meant


async def test_what_could_not_be_recognised_is_dropped() -> None:
    async def fails() -> Transcript:
        raise RuntimeError("no ear")

    task = asyncio.create_task(fails())
    await asyncio.wait((task,))
    ears = earshot()
    ears.add(Heard(task, np.zeros(1, np.int16), Timeline()))
    assert ears.meant(1.0, busy=False, speaks=False) is None
    assert not ears.waits


def test_a_doll_may_have_settings_of_its_own() -> None:
    settings = ListenSettings().for_doll({"by_name": True, "follow_s": 20})
    assert settings == ListenSettings(by_name=True, follow_s=20.0)
    assert ListenSettings().for_doll({}) == ListenSettings()


@pytest.mark.parametrize(
    "own", [{"by_name": 1}, {"follow_s": -1}, {"follow_s": True}, {"name": "x"}, "by_name", None]
)
def test_wrong_ones_are_refused(own: object) -> None:
    with pytest.raises(ValueError, match="listen"):
        ListenSettings().for_doll(own)
