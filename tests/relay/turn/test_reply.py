from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest

from relay.errors import ErrorKind, ProviderError
from relay.turn.pacing import GROUP_S
from relay.turn.reply import Aside, Reply
from relay.turn.timeline import Timeline
from relay.wire.messages import Tts
from tests.fakes.connection import FRAME_S, FakeConnection
from tests.fakes.tts import FakeTextToSpeech

pytestmark = pytest.mark.virtual_time

HEAD_START_S = 0.6
ONE, TWO, THREE = "첫째 문장이 여기 있어.", "둘째 문장도 따라왔어!", "셋째 문장은 마지막이야."
ALL = f"{ONE} {TWO} {THREE}"


async def pieces(*texts: str, gap_s: float = 0.0) -> AsyncGenerator[str, None]:
    for text in texts:
        await asyncio.sleep(gap_s)
        yield text


def make(doll: FakeConnection, tts: FakeTextToSpeech, timeline: Timeline | None = None) -> Reply:
    return Reply(doll, tts, timeline or Timeline(), head_start_s=HEAD_START_S)


async def test_each_clause_is_announced_before_its_first_frame() -> None:
    doll = FakeConnection()
    await make(doll, FakeTextToSpeech(0.32)).say(pieces(ALL), "ko")
    kinds = ["text" if isinstance(m.what, Tts) else "frame" for m in doll.sent]
    assert doll.texts == [ONE, TWO, THREE]
    assert kinds[0] == "text"
    assert len(doll.frames) == 30


async def test_the_first_sound_does_not_wait_for_the_whole_answer() -> None:
    doll, timeline = FakeConnection(), Timeline()
    text = pieces("첫 문장이야. ", *["그리고 더 긴 이야기가 이어져. "] * 20, gap_s=0.5)
    await make(doll, FakeTextToSpeech(0.3), timeline).say(text, "ko")
    assert doll.frames[0].at < 1.5
    assert timeline.first_audio is not None
    assert timeline.last_audio > 10


async def test_frames_run_ahead_by_the_head_start_and_no_further() -> None:
    doll = FakeConnection()
    await make(doll, FakeTextToSpeech(3.0)).say(pieces("긴 문장이야."), "ko")
    start = doll.frames[0].at
    for number, frame in enumerate(doll.frames):
        may_go = max(0.0, number * FRAME_S - HEAD_START_S)
        assert may_go - FRAME_S / 10 <= frame.at - start <= may_go + GROUP_S


async def test_the_next_clause_is_made_while_this_one_plays() -> None:
    doll = FakeConnection()
    tts = FakeTextToSpeech(1.0, first_delay_s=0.5)
    await make(doll, tts).say(pieces(ALL), "ko")
    gaps = [b.at - a.at for a, b in zip(doll.frames, doll.frames[1:], strict=False)]
    assert max(gaps) <= 0.5 + FRAME_S


async def test_a_voice_at_another_rate_is_resampled_and_keeps_its_length() -> None:
    doll = FakeConnection()
    await make(doll, FakeTextToSpeech(1.0, rate_hz=24_000)).say(pieces("응."), "ko")
    pcm = np.concatenate([frame.what for frame in doll.frames]).astype(float)
    assert len(pcm) / 16_000 == pytest.approx(1.0, abs=FRAME_S)
    spectrum = np.abs(np.fft.rfft(pcm[:16_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 2


async def test_what_was_ready_is_spoken_before_a_failure_of_the_text_is_raised() -> None:
    async def breaks() -> AsyncGenerator[str, None]:
        yield "이건 말했어. "
        raise ProviderError(ErrorKind.SERVER, "down")

    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(0.32))
    with pytest.raises(ProviderError, match="down"):
        await reply.say(breaks(), "ko")
    assert doll.texts == ["이건 말했어."]
    assert len(doll.frames) == 10


async def test_a_voice_that_fails_ends_the_text_stream_too() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "또 말해. "
                await asyncio.sleep(0.1)
        finally:
            closed.set()

    doll = FakeConnection()
    broken = FakeTextToSpeech(error=ProviderError(ErrorKind.NETWORK, "no voice"))
    with pytest.raises(ProviderError, match="no voice"):
        await make(doll, broken).say(endless(), "ko")
    assert closed.is_set()


async def test_cancelling_closes_text_and_voice_and_sends_nothing_more() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "계속 말해. "
                await asyncio.sleep(0.05)
        finally:
            closed.set()

    doll, tts = FakeConnection(), FakeTextToSpeech(2.0)
    task = asyncio.create_task(make(doll, tts).say(endless(), "ko"))
    await doll.until_frame(40)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    count = len(doll.sent)
    await asyncio.sleep(5)
    assert len(doll.sent) == count
    assert closed.is_set()
    assert tts.stopped + tts.finished == len(tts.calls)


async def test_heard_counts_what_was_played_not_what_was_sent() -> None:
    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(1.0))
    task = asyncio.create_task(reply.say(pieces(ALL), "ko"))
    await asyncio.sleep(1.3)  # 0.3 s into the second clause; with the head start 1.9 s were sent
    assert reply.heard() == f"{ONE} 둘째…"
    assert reply.unheard() == (TWO, THREE)
    await asyncio.sleep(0.4)
    assert reply.heard() == f"{ONE} 둘째 문장도…"
    await task
    assert reply.said() == ALL


async def test_a_clause_that_the_voice_is_still_making_is_not_taken_for_shorter_than_it_is() -> (
    None
):
    class Slow(FakeTextToSpeech):
        async def speak(
            self, text: str, language: str, voice: str = ""
        ) -> AsyncGenerator[np.ndarray, None]:
            async for chunk in super().speak(text, language, voice):
                yield chunk
                await asyncio.sleep(self.chunk_s)

    doll = FakeConnection()
    reply = make(doll, Slow(1.2))
    task = asyncio.create_task(reply.say(pieces(f"{ONE} {TWO}"), "ko"))
    await asyncio.sleep(1.6)  # a third of the second clause was played, and hardly more was made
    assert reply.heard() == f"{ONE} 둘째…"
    await task


async def test_no_gap_between_clauses_while_text_and_voice_keep_up() -> None:
    """By sample accounting: every frame is out before its playback, with the text in pieces and a
    voice that takes 60 % of the time that it speaks."""

    class RealTime(FakeTextToSpeech):
        async def speak(
            self, text: str, language: str, voice: str = ""
        ) -> AsyncGenerator[np.ndarray, None]:
            async for chunk in super().speak(text, language, voice):
                await asyncio.sleep(0.6 * self.chunk_s)
                yield chunk

    doll, timeline = FakeConnection(), Timeline()
    words = [f"{word} " for word in f"{ALL} {ALL} {ALL}".split()]
    await make(doll, RealTime(1.5), timeline).say(pieces(*words, gap_s=0.15), "ko")
    assert len(doll.texts) == 9
    late = [
        number
        for number, frame in enumerate(doll.frames)
        if frame.at - doll.frames[0].at > number * FRAME_S + 1e-9
    ]
    assert late == []
    assert len(doll.frames) * 512 == pytest.approx(9 * 1.5 * 16_000, abs=512)


@pytest.mark.parametrize(
    ("text", "language", "first"),
    [
        ("그건 말이야, 바다 밑에서 아주 오래 자란 돌이야.", "ko", "그건 말이야,"),
        ("Well I think so, and pearls grow in the sea.", "en", "Well I think so,"),
        ("오늘은 학교에서 친구들하고 하루 종일 축구를 하고 놀았다고 들었는데 정말이니", "ko", None),
        (
            "A pearl is something that grows for many years inside of a shell that lies deep down",
            "en",
            None,
        ),
    ],
)
async def test_the_first_clause_goes_to_the_voice_before_the_rest_is_written(
    text: str, language: str, first: str | None
) -> None:
    doll = FakeConnection()
    words = [f"{word} " for word in text.split()]
    await make(doll, FakeTextToSpeech(0.5)).say(pieces(*words, gap_s=0.2), language)
    assert first is None or doll.texts[0] == first
    assert doll.frames[0].at < 0.2 * len(words) - 0.3
    assert " ".join(doll.texts) == text


async def test_speech_waits_for_its_moment_in_bounded_memory() -> None:
    doll, tts = FakeConnection(), FakeTextToSpeech(4.0)
    task = asyncio.create_task(make(doll, tts).say(pieces(*[ONE + " "] * 100), "ko"))
    await asyncio.sleep(1.0)
    assert len(tts.calls) <= 6  # about ten seconds ahead, not four hundred
    task.cancel()


async def test_emoji_and_nothing_else_says_nothing() -> None:
    doll = FakeConnection()
    await make(doll, FakeTextToSpeech()).say(pieces("🙂 ", "🎉"), "ko")
    assert doll.frames == []


async def test_a_chime_can_be_played_without_a_voice() -> None:
    from relay.turn.chime import chime

    doll = FakeConnection()
    sound = chime(16_000)
    await make(doll, FakeTextToSpeech()).recorded(sound, 16_000)
    assert len(doll.frames) == -(-len(sound) // 512)
    assert np.abs(np.concatenate([f.what for f in doll.frames])).max() > 5000


FILLER = np.full(16_000, 3_000, np.int16)  # a second of something that no tone looks like


def is_filler(frame: np.ndarray) -> bool:
    return bool((frame[:64] == 3_000).all())


async def test_an_answer_follows_the_filler_that_is_being_said_with_no_gap() -> None:
    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(1.0))
    filler = asyncio.create_task(reply.fill(FILLER, 16_000))
    await asyncio.sleep(0.3)
    await reply.say(pieces(ONE), "ko")
    assert await filler
    kinds = [is_filler(frame.what) for frame in doll.frames]
    assert kinds == sorted(kinds, reverse=True)  # the one, then the other
    assert kinds.count(True) == len(FILLER) // 512 + 1
    for number, frame in enumerate(doll.frames):
        may_go = max(0.0, number * FRAME_S - HEAD_START_S)
        assert may_go - FRAME_S <= frame.at <= may_go + FRAME_S + GROUP_S


async def test_no_filler_is_said_once_the_answer_has_begun() -> None:
    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(1.0))
    answer = asyncio.create_task(reply.say(pieces(ONE), "ko"))
    await doll.until_frame()
    assert not await reply.fill(FILLER, 16_000)
    await answer
    assert not any(is_filler(frame.what) for frame in doll.frames)


async def test_a_voice_that_is_slow_leaves_room_for_a_filler() -> None:
    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(0.5, first_delay_s=5.0))
    answer = asyncio.create_task(reply.say(pieces(ONE), "ko"))
    await asyncio.sleep(2.0)
    assert await reply.fill(FILLER, 16_000)
    assert doll.texts == []
    await answer
    assert doll.texts == [ONE]


async def test_a_filler_is_no_part_of_what_was_said_or_of_how_much_was_heard() -> None:
    doll, timeline = FakeConnection(), Timeline()
    reply = make(doll, FakeTextToSpeech(1.0), timeline)
    await reply.fill(FILLER, 16_000)
    assert (reply.said(), reply.begun) == ("", False)
    assert timeline.first_audio is None
    answer = asyncio.create_task(reply.say(pieces(f"{ONE} {TWO}"), "ko"))
    await asyncio.sleep(1.0)  # the filler's last 0.6 s, and 0.4 s of the first clause
    assert reply.heard() == "첫째…"
    await asyncio.sleep(0.6)
    assert reply.heard() == ONE
    await answer
    assert reply.said() == f"{ONE} {TWO}"


async def test_an_aside_is_spoken_in_its_place_and_not_remembered() -> None:
    doll = FakeConnection()
    reply = make(doll, FakeTextToSpeech(0.3))
    await reply.say(pieces("그러니까", Aside("이건 혼잣말이야."), ONE), "ko")
    assert doll.texts == ["그러니까", "이건 혼잣말이야.", ONE]
    assert reply.said() == f"그러니까 {ONE}"


async def test_a_voice_that_hangs_is_given_up() -> None:
    doll, closed = FakeConnection(), asyncio.Event()

    class Hanging(FakeTextToSpeech):
        async def speak(
            self, text: str, language: str, voice: str = ""
        ) -> AsyncGenerator[np.ndarray, None]:
            try:
                yield FILLER
                await asyncio.Event().wait()
            finally:
                closed.set()

    with pytest.raises(ProviderError) as caught:
        await make(doll, Hanging()).say(pieces(ONE), "ko")
    assert caught.value.kind is ErrorKind.NETWORK
    assert closed.is_set()
    assert doll.texts == [ONE]
