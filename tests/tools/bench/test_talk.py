"""A doll of the crowd, tick by tick, without a relay."""

from __future__ import annotations

from random import Random

import pytest

from relay.wire import frames
from tools.bench.spoken import Codec, Speech, message
from tools.bench.talk import ABORT, LISTEN, REPORT, THINK_S, Seen, Talk

PACKET_S = 0.032
SPEECH = [b"s0", b"s1", b"s2", b"t0", b"t1"]
COMPLETES = 3
CODEC = Codec(
    name="adpcm",
    packet_s=PACKET_S,
    answer_packet_s=PACKET_S,
    settle_s=0.0,
    hello=b"",
    silence=[b"-"],
    speeches=[Speech(SPEECH, COMPLETES)],
    reports=True,
)


class Line:
    """Ticks a doll once a packet."""

    def __init__(self, codec: Codec = CODEC) -> None:
        self.seen = Seen()
        self.now = 100.0
        self.talk = Talk(codec, Random(3), lambda: self.seen)
        self.talk.wakes_at = self.now

    def tick(self) -> bytes | None:
        sent = self.talk.tick(self.now)
        self.now += PACKET_S
        return sent

    def until(self, wanted: bytes) -> list[bytes | None]:
        sent: list[bytes | None] = []
        while not sent or sent[-1] != wanted:
            sent.append(self.tick())
            assert len(sent) < 1000
        return sent

    def ask(self) -> None:
        """Up to the packet that completes the silence, which has been sent now."""
        self.until(SPEECH[COMPLETES])
        self.now -= PACKET_S

    def answer(self, at: list[float]) -> None:
        """Packets of an answer, so many seconds after `now`, which is not moved."""
        self.talk.started()
        for delay in at:
            self.talk.audio(self.now + delay)
        self.talk.stopped()


def test_a_doll_that_rests_sends_nothing() -> None:
    line = Line()
    line.talk.wakes_at = None
    assert [line.tick() for _ in range(10)] == [None] * 10


def test_it_thinks_in_silence_then_speaks_then_waits_in_silence() -> None:
    line = Line()
    sent = line.until(SPEECH[-1])
    assert sent[0] == LISTEN + b"-"
    thought = len(sent) - len(SPEECH)
    assert sent[1:thought] == [b"-"] * (thought - 1)
    assert THINK_S[0] - 0.24 <= thought * PACKET_S <= THINK_S[1] + 0.24
    assert sent[thought:] == SPEECH
    assert line.tick() == b"-"
    assert line.seen.packets_in == len(sent) + 1


def test_first_audio_counts_from_the_packet_that_completes_the_silence() -> None:
    line = Line()
    line.ask()
    line.answer([0.02])
    assert line.seen.first_audio == pytest.approx([0.02])


def test_what_stock_boards_are_given_is_not_counted() -> None:
    board = Codec(**{name: getattr(CODEC, name) for name in Codec.__slots__} | {"settle_s": 0.1})
    line = Line(board)
    line.ask()
    line.answer([0.12])
    assert line.seen.first_audio == pytest.approx([0.02])


def test_packets_ahead_of_their_playback_are_in_time_and_others_late() -> None:
    line = Line()
    line.ask()
    line.answer([0.0, 0.0, 2 * PACKET_S, 3 * PACKET_S + 0.01, 0.11])
    assert line.seen.late == 1
    assert line.seen.latest == pytest.approx(0.01)
    assert line.seen.packets_out == 5


def test_it_is_quiet_while_it_plays_then_reports_and_listens_again() -> None:
    line = Line()
    line.ask()
    line.answer([0.0] * 10)
    sent = line.until(REPORT + LISTEN + b"-")
    assert sent[:-1] == [None] * (len(sent) - 1)
    assert len(sent) == pytest.approx(11, abs=1)


def test_a_question_without_an_answer_is_lost_and_another_is_asked() -> None:
    line = Line()
    line.ask()
    line.until(LISTEN + b"-")
    assert line.seen.lost == 1
    assert not line.seen.first_audio


def test_a_doll_that_is_sent_to_rest_takes_its_leave_once() -> None:
    line = Line()
    line.tick()
    line.talk.wakes_at = None
    assert [line.tick(), line.tick()] == [ABORT, None]


def test_a_doll_that_only_listens_says_nothing() -> None:
    line = Line()
    line.talk.speaks = False
    assert {line.tick() for _ in range(1000)} == {LISTEN + b"-", b"-"}


@pytest.mark.parametrize("size", [0, 125, 126, 40_000])
def test_its_frames_are_those_of_a_client(size: int) -> None:
    data = message(2, b"x" * size)
    measured = frames.measure(data)
    assert measured == (len(data) - size, len(data))
    assert frames.is_whole_binary(data, 0)
    assert frames.unmasked(data, *measured) == b"x" * size
