from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.simulator import speaker as speaker_module
from tools.simulator.speaker import Speaker


def pcm(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


def test_a_samples_place_is_its_time_on_the_boards_clock() -> None:
    speaker = Speaker()
    speaker.open(100, 16_000, 16, 1)
    assert speaker.frame_at(100) == 0
    assert speaker.frame_at(1100) == 16_000
    assert speaker.time_of(16_000) == 1100
    assert speaker.frame_at(50) == 0


@given(st.binary(max_size=64), st.data())
def test_the_stream_may_be_cut_anywhere(stream: bytes, data: st.DataObject) -> None:
    speaker = Speaker()
    speaker.open(0, 16_000, 16, 1)
    left = stream
    while left:
        n = data.draw(st.integers(1, len(left)))
        speaker.feed(left[:n])
        left = left[n:]
    first, samples = speaker.cut(0, 1000)
    assert first == 0
    assert samples.astype("<i2").tobytes() == stream[: len(stream) // 2 * 2]


def test_a_cut_is_limited_to_what_there_is() -> None:
    speaker = Speaker()
    speaker.open(0, 16_000, 16, 1)
    speaker.feed(pcm(0, 1, 2, 3, 4, 5))
    speaker.forget(2)
    assert speaker.end == 6
    for start, stop, first, samples in ((0, 4, 2, [2, 3]), (3, 99, 3, [3, 4, 5]), (9, 3, 6, [])):
        place, cut = speaker.cut(start, stop)
        assert (place, cut.tolist()) == (first, samples)


@pytest.mark.parametrize(
    ("bits", "channels", "data"),
    [
        (16, 2, np.array([7, 99, -8, 99], "<i2").tobytes()),
        (32, 1, (np.array([7, -8], "<i4") << 16).tobytes()),
        (32, 2, (np.array([7, 99, -8, 99], "<i4") << 16).tobytes()),
    ],
)
def test_any_format_gives_the_left_channel_in_16_bits(
    bits: int, channels: int, data: bytes
) -> None:
    speaker = Speaker()
    speaker.open(0, 16_000, bits, channels)
    speaker.feed(data)
    assert speaker.cut(0, 2)[1].tolist() == [7, -8]


def test_samples_that_came_before_the_news_of_the_opening_are_kept() -> None:
    speaker = Speaker()
    speaker.feed(pcm(1, 2))
    speaker.open(5, 16_000, 16, 1)
    speaker.feed(pcm(3))
    assert speaker.cut(0, 3)[1].tolist() == [1, 2, 3]
    speaker.open(500, 16_000, 16, 1)
    assert (speaker.end, speaker.time_of(0)) == (0, 500)


def test_a_stream_without_end_is_kept_only_so_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_module, "MAX_KEPT_S", 2)
    speaker = Speaker()
    speaker.open(0, 1000, 16, 1)
    for n in range(100):
        speaker.feed(pcm(*[n] * 100))
    first, samples = speaker.cut(0, speaker.end)
    assert speaker.end == 10_000
    assert 2000 <= len(samples) <= 3000
    assert first + len(samples) == 10_000
    assert samples[-1] == 99
