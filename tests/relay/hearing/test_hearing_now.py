"""An ear that takes frames where they arrive hears what one hears that waits for each verdict."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.hearing import EndLikely, Hearing, HearingEvent, UtteranceEnded
from tests.fakes.hearing import END, LIKELY, SETTINGS, SILENCE, VOICE, LoudnessStream, audio


class SlowStream(LoudnessStream):
    """Its verdicts come when `answer` is called, or when somebody is in a hurry."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._probability = 0.0

    def probability(self, frame: Pcm, *, patient: bool = False) -> asyncio.Future[float]:
        self.verdict = asyncio.get_running_loop().create_future()
        self._probability = 0.9 if abs(int(frame[0])) > 1000 else 0.05
        if not patient:
            self.answer()
        return self.verdict

    def hurry(self) -> None:
        self.answer()

    def answer(self) -> None:
        if not self.verdict.done():
            self.verdict.set_result(self._probability)


def frames(pcm: Pcm) -> list[Pcm]:
    return [pcm[at : at + FRAME_SAMPLES] for at in range(0, len(pcm), FRAME_SAMPLES)]


def told(event: HearingEvent) -> tuple[object, ...]:
    """What an event says, but for how far had been heard by then."""
    if isinstance(event, EndLikely | UtteranceEnded):
        heard = event.utterance
        return type(event), heard.speech_start_s, heard.speech_end_s, heard.pcm.tobytes()
    return (type(event), repr(event))


async def heard(pcm: Pcm, mode: ListenMode, in_time: list[bool]) -> list[tuple[object, ...]]:
    """The events; with `in_time` as frames are taken at once where that can be: whether the
    verdict on each is there before the next frame."""
    stream = SlowStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(mode)
    events = []
    for number, frame in enumerate(frames(pcm)):
        if in_time and hearing.ready:
            events.append(hearing.push_now(frame))
        else:
            events.append(await hearing.push(frame))
        if in_time and in_time[number % len(in_time)]:
            stream.answer()
    rest = hearing.stop()
    return [told(event) for event in events if event is not None] + [
        (rest is None, rest is not None and rest.speech_start_s)
    ]


runs = st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=1, max_size=8)


@given(
    runs,
    st.sampled_from([ListenMode.AUTO, ListenMode.REALTIME]),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_it_hears_the_same_however_soon_the_verdicts_come(
    runs: list[tuple[bool, int]], mode: ListenMode, in_time: list[bool]
) -> None:
    pcm = audio(*runs)
    assert asyncio.run(heard(pcm, mode, in_time)) == asyncio.run(heard(pcm, mode, []))


async def test_only_an_end_that_may_come_and_a_verdict_that_is_late_have_to_be_waited_for() -> None:
    stream = SlowStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO)
    waited = []
    for number, frame in enumerate(frames(audio((VOICE, 10), (SILENCE, END)))):
        if hearing.ready:
            hearing.push_now(frame)
        else:
            waited.append(number - 10)
            await hearing.push(frame)
        stream.answer()
    assert waited == [LIKELY - 1, END - 1]
    hearing.start(ListenMode.AUTO)
    hearing.push_now(audio((VOICE, 1)))
    assert not hearing.ready
    stream.answer()
    assert hearing.ready


async def test_a_verdict_that_failed_is_left_to_who_waits() -> None:
    stream = SlowStream()
    hearing = Hearing(stream, SETTINGS)
    hearing.start(ListenMode.AUTO)
    hearing.push_now(audio((VOICE, 1)))
    stream.verdict.set_exception(RuntimeError("closed"))
    assert not hearing.ready


async def test_who_does_not_listen_is_ready() -> None:
    hearing = Hearing(SlowStream(), SETTINGS)
    assert hearing.ready
    assert hearing.push_now(audio((VOICE, 1))) is None
