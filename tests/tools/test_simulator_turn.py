from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.simulator.console import Item, parse_line
from tools.simulator.speaker import Speaker
from tools.simulator.turn import AskMode, TurnRecord, finish
from tools.simulator.wav import read_question

#: A held question as docs/firmware-log.md tells it, with the board's clock.
HOLD = """\
100 [doll] I button press
100 [doll] I state listening
150 @sim {"event":"mic_start","t_ms":150}
400 [doll] I button hold
400 [doll] I listen start mode=manual
1150 @sim {"event":"mic_done","t_ms":1150}
1250 [doll] I button release
1250 [doll] I listen stop frames=36 lost=1 heap_per_frame=0
1250 [doll] I state thinking
1400 [doll] I heard 안녕 하세요
1410 [doll] I feels happy
1420 [doll] I reply start
1420 [doll] I state speaking
1420 [doll] I says 안녕!
1430 [doll] I says 반가워.
1500 [doll] I sound start
1600 [doll] W sound underrun n=1
2500 [doll] I reply stop
2600 [doll] I sound stop
2600 [doll] I played frames=30 lost=2 underruns=1 heap_per_frame=3 heap_free=81200
2600 [doll] I state idle
"""


def replay(record: TurnRecord, text: str) -> TurnRecord:
    for line in text.splitlines():
        t_ms, rest = line.split(" ", 1)
        record.take(parse_line(rest), int(t_ms))
    return record


def speaker_playing(loud_from_ms: int, loud_to_ms: int) -> Speaker:
    speaker = Speaker()
    speaker.open(0, 16_000, 16, 1)
    sound = np.zeros(16 * 3000, "<i2")
    sound[16 * loud_from_ms : 16 * loud_to_ms] = 5000
    speaker.feed(sound.tobytes())
    return speaker


def test_a_turns_texts_and_counts_come_from_the_log() -> None:
    reply = replay(TurnRecord(AskMode.HOLD), HOLD).reply
    assert reply.transcript == "안녕 하세요"
    assert reply.text == "안녕! 반가워."
    assert reply.emotion == "happy"
    assert (reply.frames_sent, reply.frames_played, reply.frames_lost) == (36, 30, 3)
    assert (reply.underruns, reply.heap_per_frame) == (1, 3)
    assert reply.warnings == ["sound underrun n=1"]


def test_the_timeline_counts_from_the_press_and_times_sounds_by_their_samples(
    tmp_path: Path,
) -> None:
    record = TurnRecord(AskMode.HOLD)
    record.press_ms, record.release_ms = 90, 1245
    replay(record, HOLD)
    question = np.zeros(16_000, np.int16)
    question[16 * 200 : 16 * 700] = 1000
    reply = finish(record, question, speaker_playing(1550, 2550), tmp_path / "reply.wav")
    times = reply.timeline
    assert (times.press, times.release) == (0, 1155)
    assert (times.speech_start, times.speech_end) == (150 + 200 - 90, 150 + 700 - 90)
    assert (times.stt, times.tts_start) == (1310, 1330)
    assert (times.first_audio, times.last_audio) == (1460, 2460)
    assert times.wait_ms == 1550 - 850


def test_the_replys_file_holds_its_sound_with_a_little_silence_around(tmp_path: Path) -> None:
    record = replay(TurnRecord(AskMode.HOLD), HOLD)
    # A sound of the doll's own before the reply is not part of it.
    speaker = speaker_playing(1550, 2550)
    reply = finish(record, np.zeros(10, np.int16), speaker, tmp_path / "reply.wav")
    pcm = read_question(reply.wav)
    assert len(pcm) == 16 * 1100
    assert np.count_nonzero(pcm) == 16 * 1000


@pytest.mark.parametrize("spoken", [True, False])
def test_a_silent_reply_has_a_file_without_samples(tmp_path: Path, spoken: bool) -> None:
    text = HOLD if spoken else HOLD.replace("I reply start", "I nothing")
    record = replay(TurnRecord(AskMode.HOLD), text)
    speaker = speaker_playing(0, 0) if spoken else speaker_playing(1550, 2550)
    reply = finish(record, np.zeros(10, np.int16), speaker, tmp_path / "reply.wav")
    assert reply.timeline.first_audio is None
    assert reply.timeline.wait_ms is None
    assert reply.wav.stat().st_size == 44


@pytest.mark.parametrize("mode", [AskMode.HOLD, AskMode.TAP])
def test_a_turn_is_over_when_the_doll_rests_again(mode: AskMode) -> None:
    record = TurnRecord(mode)
    replay(record, "0 [doll] I state idle")
    assert not record.over, "it had not begun"
    *lines, last = HOLD.splitlines()
    for line in lines:
        replay(record, line)
        assert not record.over
    assert replay(record, last).over


def test_hands_free_a_turn_is_over_when_the_doll_listens_again_after_a_reply() -> None:
    record = TurnRecord(AskMode.HANDS_FREE)
    replay(record, "0 [doll] I state listening\n1 [doll] I state thinking")
    replay(record, "2 [doll] I state listening")
    assert not record.over, "nothing was understood, so it still waits for words"
    replay(record, "3 [doll] I reply start\n4 [doll] I state speaking")
    assert replay(record, "9 [doll] I state listening").over


def test_a_garbage_collection_makes_the_heap_unknown_for_the_whole_turn() -> None:
    record = TurnRecord(AskMode.HOLD)
    replay(record, "0 [doll] I listen stop frames=1 lost=0 heap_per_frame=-1")
    replay(record, "1 [doll] I played frames=1 lost=0 underruns=0 heap_per_frame=8")
    assert record.reply.heap_per_frame == -1


words = ["state", "listen stop", "played", "heard", "reply start", "says", "feels", "sound stop"]


@given(
    st.lists(
        st.tuples(st.sampled_from("EWID"), st.sampled_from(words), st.text(max_size=20)).map(
            lambda t: parse_line(f"[doll] {t[0]} {t[1]} {t[2]}")
        )
    ),
    st.sampled_from(AskMode),
)
def test_no_console_breaks_a_record(items: list[Item], mode: AskMode) -> None:
    record = TurnRecord(mode)
    for t_ms, item in enumerate(items):
        record.take(item, t_ms)


def test_what_the_board_could_not_do_is_the_turns_error() -> None:
    record = replay(
        TurnRecord(AskMode.HOLD), '5 @sim {"event":"error","message":"load: no","t_ms":5}'
    )
    assert record.error == "load: no"
