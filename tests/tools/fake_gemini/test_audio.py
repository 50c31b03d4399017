from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import Pcm
from tools.fake_gemini.audio import SoundError, decode


def encoded(kind: str, pcm: Pcm, rate_hz: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate_hz, format=kind, subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_samples_and_rate_are_what_was_sent(tone: Pcm, kind: str, rate_hz: int) -> None:
    sound = decode(f"audio/{kind.lower()}", encoded(kind, tone, rate_hz))
    assert sound.rate_hz == rate_hz
    assert sound.seconds == 16_000 / rate_hz
    assert np.array_equal(sound.samples, tone)


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_two_channels_are_mixed(tone: Pcm, kind: str) -> None:
    stereo = np.stack([tone, np.zeros_like(tone)], axis=1)
    sound = decode(f"audio/{kind.lower()}", encoded(kind, stereo))
    assert np.abs(sound.samples - tone / 2).max() <= 1


def test_a_tone_is_heard_and_the_noise_of_a_microphone_is_not(tone: Pcm) -> None:
    noise = np.random.default_rng(1).normal(0, 60, 16_000).astype(np.int16)
    assert not decode("audio/wav", encoded("WAV", tone)).silent
    assert not decode("audio/wav", encoded("WAV", np.concatenate([noise, tone[:1600]]))).silent
    for quiet in (noise, np.zeros(16_000, np.int16), np.zeros(10, np.int16)):
        assert decode("audio/wav", encoded("WAV", quiet)).silent


@pytest.mark.parametrize(
    ("mime", "data", "why"),
    [
        ("audio/ogg", b"OggS", "not supported"),
        ("audio/wav", b"", "not WAV"),
        ("audio/wav", b"RIFF....", "not WAV"),
        ("audio/flac", b"fLaC", "not FLAC"),
        ("audio/wav", encoded("WAV", np.zeros(0, np.int16)), "empty"),
        ("audio/wav", encoded("WAV", np.ones(100, np.int16))[:-10], "shorter"),
        ("audio/wav", encoded("FLAC", np.ones(100, np.int16)), "not WAV"),
        ("audio/flac", encoded("WAV", np.ones(100, np.int16)), "not FLAC"),
        ("audio/wav", encoded("WAV", np.ones(100, np.int16), 10), "rate"),
        ("audio/flac", encoded("FLAC", np.ones(100, np.int16), 96_000), "rate"),
        ("audio/flac", encoded("FLAC", np.ones((100, 4), np.int16)), "mono"),
        ("audio/wav", encoded("WAV", np.zeros(2_400_001, np.int16), 8_000), "too long"),
        ("audio/flac", encoded("FLAC", np.zeros(5_000_000, np.int16), 8_000), "too long"),
    ],
)
def test_a_bad_file_is_refused(mime: str, data: bytes, why: str) -> None:
    with pytest.raises(SoundError, match=why):
        decode(mime, data)


def test_eight_bits_are_refused() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(16_000)
        out.writeframes(bytes(100))
    with pytest.raises(SoundError, match="16-bit"):
        decode("audio/wav", file.getvalue())


@given(
    st.binary(max_size=80),
    st.sampled_from(["audio/wav", "audio/flac"]),
    st.sampled_from([b"", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC\x00\x00\x00\x22"]),
)
def test_garbage_is_refused_and_nothing_else_happens(data: bytes, mime: str, start: bytes) -> None:
    with pytest.raises(SoundError):
        decode(mime, start + data)
