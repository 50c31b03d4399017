"""What pages that watch are told, and how little of it stays."""

from __future__ import annotations

import json

import pytest

from relay.live.live import MAX_BEHIND, MAX_WATCHERS, Live, TooManyWatchersError, encode
from relay.live.load import LoadMeter
from relay.turn.ended import Outcome, TurnEnded
from relay.turn.timeline import Timeline
from relay.wire.messages import Llm, Stt, Token, Tts


@pytest.fixture
def live() -> Live:
    return Live(now=lambda: 1000.0)


def ended(**fields: object) -> TurnEnded:
    timeline = Timeline(speech_end=10.0, first_audio=10.7)
    return TurnEnded("d1", 1, timeline, 11.0, **{"outcome": Outcome.ANSWERED, **fields})  # type: ignore[arg-type]


async def test_who_watches_is_told_and_nobody_else(live: Live) -> None:
    live.tell("before", {})
    with live.watching() as one, live.watching() as other:
        live.message("d1", Stt(text="안녕"))
        assert (
            one.get_nowait()
            == other.get_nowait()
            == encode("heard", {"device": "d1", "text": "안녕"})
        )
    assert len(live) == 0


async def test_what_a_doll_hears_says_and_shows_is_told_and_its_token_is_not(live: Live) -> None:
    with live.watching() as queue:
        for message in (
            Token("secret"),
            Tts(state="start"),
            Llm(emotion="happy"),
            Tts(state="sentence_start", text="응."),
            Tts(state="stop"),
        ):
            live.message("d1", message)
        told = [queue.get_nowait() or b"" for _ in range(queue.qsize())]
    assert [event.split(b"\n")[0] for event in told] == [
        b"event: face", b"event: said", b"event: stop",
    ]  # fmt: skip


async def test_one_that_does_not_read_is_sent_away_and_the_others_stay(live: Live) -> None:
    with live.watching() as slow, live.watching() as quick:
        for number in range(MAX_BEHIND + 1):
            live.tell("load", {"n": number})
            assert quick.get_nowait()
        assert len(live) == 1
        assert slow.qsize() == MAX_BEHIND + 1
        *_, last = (slow.get_nowait() for _ in range(slow.qsize()))
        assert last is None


async def test_there_are_only_so_many_and_a_place_that_is_left_is_free(live: Live) -> None:
    held = [live.watching() for _ in range(MAX_WATCHERS)]
    for watcher in held:
        watcher.__enter__()
    with pytest.raises(TooManyWatchersError), live.watching():
        pass
    held[0].__exit__(None, None, None)
    with live.watching():
        assert live.is_full


async def test_at_the_relays_end_all_are_told_and_who_comes_then_too(live: Live) -> None:
    with live.watching() as queue:
        live.close()
        assert queue.get_nowait() is None
    with live.watching() as late:
        assert late.get_nowait() is None


def test_a_turn_is_kept_as_times_and_a_failed_one_as_a_failure_too(live: Live) -> None:
    live.turn_ended(ended(model="gemini"))
    live.turn_ended(ended(outcome=Outcome.FAILED, failure="network"))
    assert [turn.outcome for turn in live.turns] == ["answered", "failed"]
    assert live.turns[0].timeline_ms["first_audio"] == 700
    assert [(f.kind, f.device_id) for f in live.failures] == [("network", "d1")]
    for _ in range(100):
        live.turn_ended(ended(failure="server"))
    assert (len(live.turns), len(live.failures)) == (60, 40)


def test_text_with_line_ends_stays_one_event() -> None:
    event = encode("said", {"text": "하나\n\nevent: stop\r\n둘"})
    assert event.count(b"\n") == 3
    assert json.loads(event.split(b"data: ")[1])["text"].endswith("둘")


def test_the_load_is_that_of_this_process() -> None:
    load = LoadMeter().look()
    assert load.cpu_percent >= 0
    assert load.cores >= 1
    assert load.memory_mb is None or load.memory_mb > 10
