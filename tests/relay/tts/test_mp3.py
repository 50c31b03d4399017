from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.tts.formats import FormatError
from relay.tts.mp3 import Mp3Decoder
from tests.fakes.mp3 import encode

TONE: Pcm = (8_000 * np.sin(2 * np.pi * 440 / 24_000 * np.arange(12_000))).astype(np.int16)
FILE = encode(TONE)


def decode(*pieces: bytes) -> Pcm:
    decoder = Mp3Decoder()
    return np.concatenate([*map(decoder.push, pieces), decoder.flush()])


def test_what_was_encoded_is_heard() -> None:
    heard = decode(FILE)
    assert len(heard) == pytest.approx(len(TONE), abs=3_000)  # the frames at both ends are whole
    spectrum = np.abs(np.fft.rfft(heard[2_000:10_000]))
    assert np.argmax(spectrum) * 24_000 / 8_000 == pytest.approx(440, abs=3)
    assert np.abs(heard.astype(int)).max() == pytest.approx(8_000, rel=0.15)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 700), max_size=12))
def test_it_does_not_matter_where_the_pieces_are_cut(sizes: list[int]) -> None:
    cuts = np.cumsum(sizes, dtype=int)
    edges = [0, *cuts[cuts < len(FILE)], len(FILE)]
    pieces = [FILE[a:b] for a, b in itertools.pairwise(edges)]
    assert np.array_equal(decode(*pieces), decode(FILE))


def test_sound_comes_before_the_end() -> None:
    decoder = Mp3Decoder()
    assert len(decoder.push(FILE[: len(FILE) // 2])) > 3_000
    assert decoder.rate_hz == 24_000


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=3_000), st.integers(0, len(FILE)))
def test_any_bytes_give_samples_or_a_format_error(noise: bytes, at: int) -> None:
    with contextlib.suppress(FormatError):
        decode(FILE[:at], noise, FILE[at:])
