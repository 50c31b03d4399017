from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Message
from relay.services import Services
from relay.turn.machine import State
from relay.wire.messages import Abort, Listen
from tests.fakes.connection import FRAME_S, LOUD, QUIET, FakeConnection
from tests.fakes.session import talking

pytestmark = pytest.mark.virtual_time

FailureLine = Callable[[str, str], bool]


async def test_push_to_talk_is_heard_answered_and_ended(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll) as session:
        await doll.ask()
        await doll.until_stop()
        assert doll.heard == ["안녕"]
        assert doll.states[0] == "start"
        assert doll.states[-1] == "stop"
        assert " ".join(doll.texts) == "흥, 왔어? 반가워."
        assert doll.frames
        assert session.state is State.IDLE


async def test_the_answer_is_in_the_language_that_was_heard(services: Services) -> None:
    services.stt.text, services.stt.language = "hello", "en"
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert services.brain.tail.requests[0].language == "en"
    assert {call.language for call in services.tts.calls} == {"en"}


@pytest.mark.parametrize(("text", "silence_ms"), [("고양이", 750), ("안녕.", 320), ("그", 960)])
async def test_silence_ends_an_utterance_in_auto_mode_in_audio_time(
    services: Services, text: str, silence_ms: int
) -> None:
    services.stt.text = text
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(1.0)
        spoke = asyncio.get_running_loop().time()
        await doll.speak(1.5, QUIET)
        await doll.until_stop()
    assert doll.frames[0].at - spoke == pytest.approx(silence_ms / 1000, abs=2 * FRAME_S)


@pytest.mark.parametrize(
    ("own", "silence_ms"),
    [({"min_ms": 500}, 500), ({"min_ms": "soon"}, 320), ({"start_threshold": 0.9}, 320)],
)
async def test_a_doll_s_own_bounds_count_and_wrong_ones_are_passed_over(
    services: Services, own: dict[str, object], silence_ms: int
) -> None:
    services.stt.text = "안녕."
    doll = FakeConnection()
    async with talking(services, doll, endpoint=own):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(1.0)
        spoke = asyncio.get_running_loop().time()
        await doll.speak(1.0, QUIET)
        await doll.until_stop()
    assert doll.frames[0].at - spoke == pytest.approx(silence_ms / 1000, abs=2 * FRAME_S)


async def test_the_room_s_echo_of_an_answer_is_not_heard(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
        await asyncio.sleep(services.settings.turn.head_start_ms / 1000)  # it plays what it has
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(0.3)
        await doll.speak(1.5, QUIET)
        assert len(services.stt.calls) == 1
        doll.say(Listen(state="start", mode="auto"))  # long after the answer everything is heard
        await doll.speak(0.3)
        await doll.speak(1.0, QUIET)
        await doll.until_stop()
    assert len(services.stt.calls) == 2


async def test_a_doll_that_hears_itself_is_interrupted_by_a_sentence_alone(
    services: Services,
) -> None:
    services.tts.seconds_per_clause = 3.0
    doll = FakeConnection()
    async with talking(services, doll) as session:
        doll.say(Listen(state="start", mode="realtime"))
        await doll.speak(1.0)
        await doll.speak(1.0, QUIET)
        await doll.until_frame()
        await doll.speak(0.3)
        await doll.speak(0.5, QUIET)
        assert session.state is State.SPEAKING
        await doll.speak(0.5)
        assert session.state is State.LISTENING


async def test_a_network_that_stalls_does_not_cut_the_speaker_off(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(0.5)
        await asyncio.sleep(5.0)  # far longer than the silence that ends an utterance
        assert doll.states == []
        await doll.speak(0.5)
        await doll.speak(1.0, QUIET)
        await doll.until_stop()
    assert len(services.brain.tail.requests) == 1


async def test_recognition_starts_before_the_silence_is_over(services: Services) -> None:
    services.stt.delay_s = 0.3
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(1.0)
        spoke = asyncio.get_running_loop().time()
        await doll.speak(1.0, QUIET)
        await doll.until_stop()
    # The text is there half a second after the speech, reads as finished, and nobody waits longer.
    assert doll.frames[0].at - spoke == pytest.approx(0.2 + services.stt.delay_s, abs=2 * FRAME_S)
    assert len(services.stt.calls) == 1


async def test_early_recognition_is_thrown_away_when_speech_goes_on(services: Services) -> None:
    services.stt.delay_s = 0.3
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(1.0)
        await doll.speak(0.3, QUIET)
        await doll.speak(1.0)
        await doll.speak(1.0, QUIET)
        await doll.until_stop()
    assert services.stt.cancelled == 1
    assert len(services.stt.calls[-1].utterance) > len(services.stt.calls[0].utterance)
    assert len(services.brain.tail.requests) == 1


async def test_nobody_speaking_ends_auto_listening_without_an_answer(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll) as session:
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(services.settings.turn.no_speech_s + 1, QUIET)
        assert doll.states == ["stop"]
        assert doll.frames == []
        assert session.state is State.IDLE
    assert services.stt.calls == []


async def test_a_slip_on_the_button_is_passed_over(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="manual"))
        await doll.speak(0.2, QUIET)
        doll.say(Listen(state="stop"))
        await doll.until_stop()
    assert doll.states == ["stop"]


async def test_a_held_button_with_nothing_said_gets_a_spoken_line(
    services: Services, is_failure_line: FailureLine
) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="manual"))
        await doll.speak(1.5, QUIET)
        doll.say(Listen(state="stop"))
        await doll.until_stop()
    assert all(is_failure_line("not_heard", text) for text in doll.texts)
    assert doll.frames
    assert services.brain.tail.requests == []


@pytest.mark.parametrize(
    "moment_s", [0.05, 0.35, 0.65, 0.95, 1.5, 2.5], ids=lambda s: f"{s} s after the question"
)
async def test_abort_at_any_moment_silences_at_once_and_sends_stop(
    services: Services, moment_s: float
) -> None:
    services.stt.delay_s = services.brain.tail.first_delay_s = services.tts.first_delay_s = 0.3
    services.tts.seconds_per_clause = 3.0
    doll = FakeConnection()
    async with talking(services, doll) as session:
        await doll.ask()
        await asyncio.sleep(moment_s)
        doll.say(Abort())
        aborted = asyncio.get_running_loop().time()
        await doll.until_stop()
        await asyncio.sleep(5)
        assert doll.states.count("stop") == 1
        assert all(frame.at <= aborted for frame in doll.frames)
        assert session.state is State.IDLE
        assert services.brain.tail.finished + services.brain.tail.stopped == len(
            services.brain.tail.requests
        )
        # and the doll can be asked again
        await doll.ask()
        await doll.until_stop(2)
        assert doll.texts


async def test_an_abort_with_nothing_to_stop_is_answered_too(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Abort())
        await doll.until_stop()
    assert doll.states == ["stop"]


async def test_only_what_was_heard_of_an_interrupted_answer_is_remembered(
    services: Services,
) -> None:
    services.brain.tail.pieces = [
        "첫째 문장이 여기 있어. 둘째 문장도 따라왔어. 셋째 문장은 마지막이야."
    ]
    services.tts.seconds_per_clause = 2.0
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_frame()
        await asyncio.sleep(2.2)
        doll.say(Abort())
        await doll.until_stop()
        await doll.ask()
        await doll.until_frame(len(doll.frames) + 1)
    assert services.brain.tail.requests[1].history == (
        Message("user", "안녕"),
        Message("assistant", "첫째 문장이 여기 있어."),
    )


async def test_a_new_question_during_an_answer_replaces_it(services: Services) -> None:
    services.tts.seconds_per_clause = 5.0
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_frame()
        await doll.ask()
        await doll.until_stop(2)
    assert len(services.brain.tail.requests) == 2


async def test_speech_interrupts_a_realtime_answer(services: Services) -> None:
    services.tts.seconds_per_clause = 10.0
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="realtime"))
        await doll.speak(1.0)
        await doll.speak(1.0, QUIET)
        await doll.until_frame()
        await doll.speak(0.5)
        assert doll.states[-1] == "stop"
        await doll.speak(1.0, QUIET)
        await doll.until_frame(len(doll.frames) + 1)
    assert len(services.brain.tail.requests) == 2


async def test_realtime_speech_before_the_answer_joins_the_question(services: Services) -> None:
    services.brain.tail.first_delay_s = 3.0
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="realtime"))
        await doll.speak(1.0)
        await doll.speak(0.8, QUIET)
        await doll.speak(1.0)
        await doll.speak(1.2, QUIET)  # who was cut off is given more time
        await doll.until_frame()
    assert doll.frames
    first, last = services.stt.calls[0].utterance, services.stt.calls[-1].utterance
    assert len(last) > 1.8 * len(first)


async def test_audio_before_listen_is_dropped(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.speak(2.0)
    assert services.detector.frames == 0


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_every_failure_of_the_brain_is_spoken(
    services: Services, is_failure_line: FailureLine, kind: ErrorKind
) -> None:
    services.brain.tail.error = ProviderError(kind, "as the test says")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert doll.texts
    assert all(is_failure_line(kind, text) for text in doll.texts)
    assert doll.states.count("stop") == 1


async def test_a_brain_that_fails_midway_finishes_its_words_and_says_so(
    services: Services, is_failure_line: FailureLine
) -> None:
    services.brain.tail.pieces = ["첫 문장은 말했어. ", "이건 안 나와. "]
    services.brain.tail.error, services.brain.tail.error_after = (
        ProviderError(ErrorKind.SERVER, "cut"),
        1,
    )
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
        assert doll.texts[0] == "첫 문장은 말했어."
        assert is_failure_line("server", doll.texts[1])
        services.brain.tail.error = services.brain.tail.error_after = None
        await doll.ask()
        await doll.until_stop(2)
    # The failure line is no part of the conversation.
    assert services.brain.tail.requests[1].history[-1] == Message("assistant", "첫 문장은 말했어.")


async def test_a_recogniser_that_fails_or_hangs_is_spoken_about(
    services: Services, is_failure_line: FailureLine
) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        services.stt.error = ProviderError(ErrorKind.RATE, "too many")
        await doll.ask()
        await doll.until_stop()
        assert is_failure_line("rate", doll.texts[0])
        services.stt.error, services.stt.delay_s = None, 1000.0
        said = len(doll.texts)
        await doll.ask()
        await doll.until_stop(2)
        assert is_failure_line("network", doll.texts[said])


async def test_without_a_voice_the_doll_still_makes_a_sound(services: Services) -> None:
    services.tts.error = ProviderError(ErrorKind.NETWORK, "no voice")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    assert doll.frames
    assert doll.states[-1] == "stop"


async def test_a_bug_in_a_provider_ends_the_turn_and_not_the_session(
    services: Services, is_failure_line: FailureLine
) -> None:
    services.brain.tail.error = ZeroDivisionError("a bug")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
        assert is_failure_line("internal", doll.texts[0])
        services.brain.tail.error = None
        await doll.ask()
        await doll.until_stop(2)
    assert "반가워." in doll.texts[-1]


async def test_a_doll_that_vanishes_mid_answer_leaves_nothing_running(services: Services) -> None:
    services.tts.seconds_per_clause = 30.0
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_frame()
    assert services.brain.tail.finished + services.brain.tail.stopped == 1
    assert services.tts.finished + services.tts.stopped == len(services.tts.calls)


async def test_dolls_do_not_hear_of_each_other(services: Services) -> None:
    one, two = FakeConnection("doll-1"), FakeConnection("doll-2")
    services.stt.text = lambda pcm: "첫째" if pcm[0] > 7000 else "둘째"
    async with talking(services, one), talking(services, two):
        for doll, sound in ((one, LOUD), (two, LOUD // 2)):
            doll.say(Listen(state="start", mode="manual"))
            await doll.speak(1.0, sound)
            doll.say(Listen(state="stop"))
        await one.until_stop()
        await two.until_stop()
        await two.ask()
        await two.until_stop(2)
    texts = {message.text for message in services.brain.tail.requests[-1].history}
    assert "첫째" not in texts
    assert "둘째" in texts
