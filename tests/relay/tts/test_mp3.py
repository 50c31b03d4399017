from __future__ import annotations

import contextlib
import itertools
from typing import cast

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.tts.formats import FormatError
from relay.tts.mp3 import Mp3Decoder
from tests.fakes.mp3 import encode

TONE: Pcm = (8_000 * np.sin(2 * np.pi * 440 / 24_000 * np.arange(12_000))).astype(np.int16)
FILE = encode(TONE)
FRAME_BYTES = 144


def bursts() -> Pcm:
    """A second, hard to encode here and easy there, so that frames borrow from each other."""
    random = np.random.default_rng(1)
    loudness = np.repeat(random.choice([0, 300, 9_000], 20), 1_200)
    rising = np.sin(np.cumsum(np.linspace(0.02, 2.5, 24_000)))
    return (
        (loudness * (rising + random.normal(0, 0.3, 24_000))).clip(-32768, 32767).astype(np.int16)
    )


BURSTS = encode(bursts())


def decode(*pieces: bytes) -> Pcm:
    decoder = Mp3Decoder()
    return np.concatenate([*map(decoder.push, pieces), decoder.flush()])


def by_ffmpeg(data: bytes) -> Pcm:
    codec = cast("AudioCodecContext", av.CodecContext.create("mp3float", "r"))
    packets = [*codec.parse(data), *codec.parse(b"")]
    frames = [cast("AudioFrame", frame) for packet in packets for frame in codec.decode(packet)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def differ(one: Pcm, other: Pcm) -> int:
    """By how much two decodings of equal length differ at most."""
    assert len(one) == len(other)
    return int(np.abs(one.astype(int) - other).max())


def test_what_was_encoded_is_heard() -> None:
    heard = decode(FILE)
    assert len(heard) == pytest.approx(len(TONE), abs=3_000)  # the frames at both ends are whole
    spectrum = np.abs(np.fft.rfft(heard[2_000:10_000]))
    assert np.argmax(spectrum) * 24_000 / 8_000 == pytest.approx(440, abs=3)
    assert np.abs(heard.astype(int)).max() == pytest.approx(8_000, rel=0.15)


def test_frames_that_borrow_from_the_ones_before_them_sound_as_ffmpeg_decodes_them(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert max(BURSTS[at + 4] for at in range(0, len(BURSTS), FRAME_BYTES)) > 100
    pieces = [BURSTS[at : at + 720] for at in range(0, len(BURSTS), 720)]
    assert differ(decode(*pieces), by_ffmpeg(BURSTS)) <= 1
    assert capfd.readouterr().err == ""


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 700), max_size=12))
def test_it_does_not_matter_where_the_pieces_are_cut(sizes: list[int]) -> None:
    cuts = np.cumsum(sizes, dtype=int)
    edges = [0, *cuts[cuts < len(BURSTS)], len(BURSTS)]
    pieces = [BURSTS[a:b] for a, b in itertools.pairwise(edges)]
    assert differ(decode(*pieces), decode(BURSTS)) <= 1  # the filters' sums are rounded otherwise


def test_sound_comes_before_the_end() -> None:
    decoder = Mp3Decoder()
    assert decoder.rate_hz is None
    assert len(decoder.push(FILE[: len(FILE) // 2])) > 3_000
    assert decoder.rate_hz == 24_000


def test_a_stream_that_begins_in_the_middle_is_silent_until_a_frame_is_whole() -> None:
    lending = next(at for at in range(0, len(BURSTS), FRAME_BYTES) if BURSTS[at + 4] > 100)
    heard = decode(BURSTS[lending:])
    assert len(heard) == len(BURSTS[lending:]) // FRAME_BYTES * 576
    assert not heard[:576].any()
    assert differ(heard[4 * 576 :], decode(BURSTS)[lending // FRAME_BYTES * 576 + 4 * 576 :]) <= 1


def test_a_tag_and_bytes_between_frames_are_passed_over() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x14" + b"TSSE\x00\x00\x00\x0a\x00\x00Lavf58.29\x00"
    middle = 10 * FRAME_BYTES
    assert differ(decode(tag, FILE[:middle], b"junk \xff junk", FILE[middle:]), decode(FILE)) <= 1


def test_half_a_frame_at_the_end_is_left_out() -> None:
    assert len(decode(FILE[: 10 * FRAME_BYTES + 60])) == 10 * 576


@pytest.mark.parametrize("data", [b"<html>no</html>", encode(TONE, 48_000), b"x" * 5_000])
def test_another_form_is_no_speech(data: bytes) -> None:
    with pytest.raises(FormatError, match="24 kHz"):
        decode(data)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=3_000), st.integers(0, len(FILE)))
def test_any_bytes_give_samples_or_a_format_error(noise: bytes, at: int) -> None:
    with contextlib.suppress(FormatError):
        decode(FILE[:at], noise, FILE[at:])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, len(BURSTS) - 1), st.integers(0, 255)), max_size=40))
def test_damage_costs_no_more_than_it_hits(changes: list[tuple[int, int]]) -> None:
    data = bytearray(BURSTS)
    for at, value in changes:
        if at % FRAME_BYTES >= 4:  # not the headers, so that no frame is lost
            data[at] = value
    assert len(decode(bytes(data))) == len(BURSTS) // FRAME_BYTES * 576
