from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import wav
from relay.tts.formats import FormatError, RawDecoder, decoder_for

TONE = (8_000 * np.sin(np.arange(500) / 7)).astype(np.int16)


@settings(deadline=None)
@given(st.lists(st.integers(0, 90), max_size=20), st.booleans())
def test_raw_samples_and_wav_are_told_apart_wherever_they_are_cut(
    sizes: list[int], as_wav: bool
) -> None:
    data = wav.encode(TONE, 48_000) if as_wav else TONE.tobytes()
    decoder = RawDecoder(24_000)
    heard = []
    for size in [*sizes, len(data)]:
        heard.append(decoder.push(data[:size]))
        data = data[size:]
    assert np.array_equal(np.concatenate([*heard, decoder.flush()]), TONE)
    assert decoder.rate_hz == (48_000 if as_wav else 24_000)


def test_the_rate_is_not_told_before_it_is_known() -> None:
    decoder = RawDecoder(24_000)
    decoder.push(b"RI")
    assert decoder.rate_hz is None
    decoder.push(b"xx")
    assert decoder.rate_hz == 24_000


@pytest.mark.parametrize(
    ("content_type", "rate_hz"),
    [
        ("", 24_000),
        ("audio/pcm", 24_000),
        ("application/octet-stream", 24_000),
        ("audio/L16;codec=pcm;rate=16000", 16_000),
        ("audio/pcm; Rate=22050", 22_050),
        ("audio/pcm;rate=0", 24_000),
        ("audio/pcm;rate=²", 24_000),
    ],
)
def test_a_content_type_may_tell_the_rate(content_type: str, rate_hz: int) -> None:
    decoder = decoder_for(content_type, 24_000)
    decoder.push(TONE.tobytes())
    assert decoder.rate_hz == rate_hz


@pytest.mark.parametrize(
    "content_type", ["text/html", "application/json", "audio/mpeg", "audio/x-mp3", "AUDIO/OGG"]
)
def test_what_is_not_read_here_is_refused_by_its_type(content_type: str) -> None:
    with pytest.raises(FormatError, match=content_type.lower()):
        decoder_for(content_type, 24_000)


@pytest.mark.parametrize("data", [b"ID3\x04\0\0\0\0", b"RIFF\0\0\0\0AVI LIST"])
def test_what_is_not_read_here_is_refused_by_its_beginning(data: bytes) -> None:
    with pytest.raises(FormatError):
        RawDecoder(24_000).push(data)
