"""Pacing: a bounded head start, kept after a gap, and an honest idea of what was heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.pacing import Pacer

FRAME = 0.032
HEAD = 0.320
SLACK = 1e-5

gaps = st.lists(st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 3)), max_size=80)
frame_lengths = st.sampled_from([0.02, 0.032, 0.06])
head_starts = st.sampled_from([0.0, 0.02, 0.3, 0.6])


def send(pacer: Pacer, now: float, frames: int) -> tuple[float, list[float]]:
    """Send frames that are all there at `now`, each as soon as it may go."""
    times = []
    for _ in range(frames):
        now += pacer.delay(now)
        pacer.sent(now)
        times.append(now)
    return now, times


def test_the_head_start_goes_out_at_once_and_then_three_frames_per_three_frames() -> None:
    _, times = send(Pacer(FRAME, HEAD), 100.0, 17)
    assert times[:11] == [100.0] * 11
    assert times[11:] == pytest.approx([100 + 3 * FRAME] * 3 + [100 + 6 * FRAME] * 3)


@pytest.mark.parametrize(
    ("frame_s", "head_start_s", "together"),
    [(0.032, 0.6, 3), (0.06, 0.6, 2), (0.032, 0.1, 1), (0.06, 0.0, 1), (0.5, 2.0, 1)],
)
def test_a_group_is_an_eighth_of_a_second_and_half_the_head_start_at_most(
    frame_s: float, head_start_s: float, together: int
) -> None:
    _, times = send(Pacer(frame_s, head_start_s), 0.0, 100)
    assert times.count(times[-10]) == together


def test_without_a_head_start_each_frame_goes_when_it_is_to_be_played() -> None:
    _, times = send(Pacer(FRAME, 0), 5.0, 4)
    assert times == pytest.approx([5 + n * FRAME for n in range(4)])


def test_a_gap_gives_the_frames_after_it_the_head_start_again() -> None:
    pacer = Pacer(FRAME, HEAD)
    now, _ = send(pacer, 0.0, 20)
    _, times = send(pacer, now + 10, 12)
    assert times[:11] == [now + 10] * 11
    assert times[11] == pytest.approx(now + 10 + 3 * FRAME)


def test_a_source_that_pauses_for_less_than_the_head_start_is_not_heard() -> None:
    pacer = Pacer(FRAME, HEAD)
    now, _ = send(pacer, 0.0, 20)
    assert pacer.remaining_s(now + HEAD / 2) > 0
    _, times = send(pacer, now + HEAD / 2, 20)
    assert pacer.played_s(times[-1] + 10) == pytest.approx(40 * FRAME)
    assert times[-1] <= 39 * FRAME, "in time"
    assert pacer.remaining_s(times[-1]) <= HEAD + FRAME + SLACK, "the schedule has not moved"


def test_playing_stands_still_in_a_gap_and_goes_on_after_it() -> None:
    pacer = Pacer(FRAME, HEAD)
    send(pacer, 0.0, 5)
    assert pacer.played_s(0.0) == 0
    assert pacer.played_s(2 * FRAME) == pytest.approx(2 * FRAME)
    assert pacer.remaining_s(2 * FRAME) == pytest.approx(3 * FRAME)
    assert pacer.played_s(50) == pytest.approx(5 * FRAME)
    assert pacer.remaining_s(50) == pytest.approx(0)
    pacer.sent(60)
    assert pacer.played_s(60) == pytest.approx(5 * FRAME)
    assert pacer.played_s(60 + FRAME / 2) == pytest.approx(5.5 * FRAME)


def test_before_the_first_frame_nothing_is_played_and_nothing_waits() -> None:
    pacer = Pacer(FRAME, HEAD)
    assert (pacer.delay(7.0), pacer.played_s(7.0), pacer.remaining_s(7.0)) == (0, 0, 0)


def test_a_delay_too_short_for_a_clock_is_none() -> None:
    pacer = Pacer(FRAME, 0)
    pacer.sent(0.0)
    assert pacer.delay(FRAME - 1e-12) == 0.0


@pytest.mark.parametrize(("frame_s", "head_start_s"), [(0, 0.1), (-1, 0.1), (0.032, -0.1)])
def test_lengths_that_make_no_sense_are_refused(frame_s: float, head_start_s: float) -> None:
    with pytest.raises(ValueError, match="frame_s"):
        Pacer(frame_s, head_start_s)


@given(frame_lengths, head_starts, gaps)
def test_never_more_than_the_head_start_and_a_frame_ahead(
    frame_s: float, head_start_s: float, waits: list[float]
) -> None:
    pacer, now = Pacer(frame_s, head_start_s), 1000.0
    for wait in waits:
        now += wait
        now += pacer.delay(now)
        pacer.sent(now)
        assert pacer.remaining_s(now) <= head_start_s + frame_s + SLACK


@given(frame_lengths, head_starts, st.integers(1, 300))
def test_no_frame_is_late_when_the_source_is_fast(
    frame_s: float, head_start_s: float, frames: int
) -> None:
    _, times = send(Pacer(frame_s, head_start_s), 1000.0, frames)
    for number, at in enumerate(times):
        assert at <= 1000.0 + number * frame_s + SLACK


@given(frame_lengths, head_starts, gaps)
def test_what_was_played_only_grows_and_never_passes_what_was_sent(
    frame_s: float, head_start_s: float, waits: list[float]
) -> None:
    pacer, now, before = Pacer(frame_s, head_start_s), 1000.0, 0.0
    for sent, wait in enumerate(waits, start=1):
        now += wait
        now += pacer.delay(now)
        assert pacer.played_s(now) >= before - SLACK
        pacer.sent(now)
        before = pacer.played_s(now)
        assert 0 <= before <= sent * frame_s + SLACK
        assert before + pacer.remaining_s(now) == pytest.approx(sent * frame_s)


@pytest.mark.parametrize("head_start_s", [0.0, 0.6, 2.0])
@given(gaps=gaps)
def test_a_stock_board_s_queue_of_40_packets_never_overflows(
    head_start_s: float, gaps: list[float]
) -> None:
    """2.0 is the largest `turn.head_start_ms`; what a board has no room for it drops silently."""
    pacer, now, packet_s = Pacer(0.06, head_start_s), 7.0, 0.06
    for gap in gaps:  # the voice hesitates now and then
        now += gap
        now += pacer.delay(now)
        pacer.sent(now)
        assert pacer.remaining_s(now) <= head_start_s + packet_s + SLACK
        assert pacer.remaining_s(now) / packet_s <= 40
