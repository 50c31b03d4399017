from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.limits import TokenBucket, WireLimits


def test_a_burst_passes_and_then_the_rate_rules() -> None:
    bucket = TokenBucket(rate_per_s=2, burst=3, now=100.0)
    assert [bucket.take(1, 100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(1, 100.25)
    assert bucket.take(1, 100.5)


def test_a_refused_amount_takes_nothing() -> None:
    bucket = TokenBucket(rate_per_s=1, burst=5, now=0.0)
    assert not bucket.take(6, 0.0)
    assert bucket.take(5, 0.0)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = TokenBucket(rate_per_s=1, burst=1, now=100.0)
    assert bucket.take(1, 100.0)
    assert not bucket.take(1, 50.0)
    assert not bucket.take(1, 100.5)


@given(
    rate=st.integers(1, 1000),
    burst=st.integers(1, 1000),
    asks=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=200),
)
def test_no_more_passes_than_burst_and_rate_allow(
    rate: int, burst: int, asks: list[tuple[int, int]]
) -> None:
    bucket, now, passed = TokenBucket(rate, burst, 0.0), 0.0, 0
    for wait_ms, amount in asks:
        now += wait_ms / 1000
        if bucket.take(amount, now):
            passed += amount
    assert passed <= burst + rate * now + 1e-6


@pytest.mark.parametrize(("frame_ms", "packet_bytes"), [(20, 640), (32, 1024), (60, 1920)])
def test_uncompressed_audio_in_real_time_never_meets_the_limits(
    frame_ms: int, packet_bytes: int
) -> None:
    limits = WireLimits()
    messages = TokenBucket(limits.messages_per_s, limits.messages_burst, 0.0)
    volume = TokenBucket(limits.bytes_per_s, limits.bytes_burst, 0.0)
    for frame in range(10 * 60 * 1000 // frame_ms):
        now = frame * frame_ms / 1000
        assert messages.take(1, now)
        assert volume.take(packet_bytes, now)
