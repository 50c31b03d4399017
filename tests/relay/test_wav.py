from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.wav import MAX_HEADER_BYTES, WavError, WavReader, encode

TONE = (8_000 * np.sin(np.arange(2_000) / 7)).astype(np.int16)


def read(*pieces: bytes) -> Pcm:
    reader = WavReader()
    return np.concatenate([reader.push(piece) for piece in pieces])


def wav(
    samples: bytes, *, kind: int = 1, channels: int = 1, rate_hz: int = 24_000, bits: int = 16
) -> bytes:
    size = channels * bits // 8
    fmt = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * size, size, bits)
    return b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", fmt) + chunk(b"data", samples)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def test_what_was_written_is_read() -> None:
    assert np.array_equal(read(encode(TONE, 16_000)), TONE)


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), max_size=30), st.sampled_from([1, 2]))
def test_it_does_not_matter_where_the_pieces_are_cut(sizes: list[int], channels: int) -> None:
    file = wav(np.repeat(TONE, channels).tobytes(), channels=channels)
    pieces = []
    for size in sizes:
        pieces.append(file[:size])
        file = file[size:]
    assert np.array_equal(read(*pieces, file), TONE)


@pytest.mark.parametrize(
    ("samples", "kind", "bits"),
    [
        (((TONE.astype(int) >> 8) + 128).astype(np.uint8).tobytes(), 1, 8),
        ((TONE.astype("<i4") << 16).tobytes(), 1, 32),
        ((TONE.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), 1, 24),
        ((TONE.astype("<f4") / 32768).tobytes(), 3, 32),
    ],
)
def test_samples_of_every_width_are_read(samples: bytes, kind: int, bits: int) -> None:
    heard = read(wav(samples, kind=kind, bits=bits))
    assert np.abs(heard.astype(int) - TONE).max() <= (256 if bits == 8 else 1)


def test_channels_are_mixed() -> None:
    both = np.stack([np.full(50, 1_000), np.full(50, 3_000)], axis=1).astype("<i2")
    assert set(read(wav(both.tobytes(), channels=2))) == {2_000}


def test_the_rate_is_known_when_the_samples_begin() -> None:
    file = wav(TONE.tobytes(), rate_hz=48_000)
    reader = WavReader()
    reader.push(file[:20])
    assert reader.rate_hz is None
    reader.push(file[20:])
    assert reader.rate_hz == 48_000


def test_chunks_around_the_samples_are_skipped() -> None:
    file = wav(TONE.tobytes())
    file = file[:12] + chunk(b"LIST", b"odd") + file[12:] + chunk(b"LIST", b"not samples")
    assert np.array_equal(read(file), TONE)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_stream_of_unknown_size_is_read_to_its_end(size: int) -> None:
    file = wav(TONE.tobytes())
    at = file.index(b"data") + 4
    file = file[:at] + struct.pack("<I", size) + file[at + 4 :]
    assert np.array_equal(read(file), TONE)


@pytest.mark.parametrize(
    "file",
    [
        b"<html>oops</html>",
        b"RIFF\0\0\0\0AVI ",
        b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"1234"),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"short"),
        wav(b"", kind=85),  # MP3 inside of a WAV file
        wav(b"", channels=0),
        wav(b"", rate_hz=0),
        b"RIFF\0\0\0\0WAVEjunk" + struct.pack("<I", 1 << 30) + bytes(MAX_HEADER_BYTES),
    ],
)
def test_what_is_no_such_file_is_refused(file: bytes) -> None:
    with pytest.raises(WavError):
        read(file)


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_give_samples_or_a_wav_error(first: bytes, second: bytes) -> None:
    for head in (b"", b"RIFF\0\0\0\0WAVE", wav(b"")[:-8]):
        with contextlib.suppress(WavError):
            read(head + first, second)
