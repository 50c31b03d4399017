from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.wire.blocks import Blocks


def ramp(count: int, start: int = 0) -> Pcm:
    return np.arange(start, start + count).astype(np.int16)


@given(st.integers(1, 700), st.lists(st.integers(0, 2000), max_size=20))
def test_samples_come_out_in_order_in_frames_of_one_length(size: int, lengths: list[int]) -> None:
    source = ramp(sum(lengths))
    blocks, frames, at = Blocks(size), [], 0
    for length in lengths:
        frames += blocks.push(source[at : at + length])
        at += length
        assert len(blocks) < size
    assert all(len(frame) == size and frame.dtype == np.int16 for frame in frames)
    frames += blocks.flush(pad=False)
    assert np.array_equal(np.concatenate([*frames, ramp(0)]), source)
    assert len(blocks) == 0


def test_the_last_frame_is_filled_up_with_silence() -> None:
    blocks = Blocks(4)
    assert not list(blocks.push(ramp(3, 1)))
    (frame,) = blocks.flush()
    assert frame.tolist() == [1, 2, 3, 0]


def test_flushing_nothing_gives_nothing() -> None:
    blocks = Blocks(4)
    list(blocks.push(ramp(8)))
    assert list(blocks.flush()) == []


@pytest.mark.parametrize("length", [3, 5])
def test_samples_are_kept_even_if_nobody_takes_the_frames(length: int) -> None:
    blocks = Blocks(4)
    blocks.push(ramp(length))
    assert len(blocks) == length % 4


def test_what_was_cleared_is_forgotten() -> None:
    blocks = Blocks(4)
    blocks.push(ramp(3))
    blocks.clear()
    assert [frame.tolist() for frame in blocks.push(ramp(4, 10))] == [[10, 11, 12, 13]]


def test_the_rest_of_a_long_chunk_does_not_keep_the_chunk_alive() -> None:
    blocks = Blocks(512)
    chunk = ramp(100_000)
    blocks.push(chunk)
    (rest,) = blocks.flush(pad=False)
    assert rest.base is None
