from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from relay import wav
from relay.tts.voices import recording
from relay.tts.voices.recording import decode
from relay.tts.voices.voice import VoiceError
from tests.fakes.openai_audio import TONE, VOICE_HZ
from tests.relay.tts.voices.sounds import file_of, voice, wav_of

PCM = np.tile(TONE, 4)  # two seconds of 440 Hz


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(np.argmax(spectrum) * rate_hz / len(middle))


@pytest.mark.parametrize(
    ("kind", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 24_000),
        ("wav", "pcm_f32le", 48_000),
        ("flac", "flac", 44_100),
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 44_100),
        ("ipod", "aac", 44_100),  # m4a: what an iPhone's voice memos are
        ("adts", "aac", 44_100),
        ("webm", "libopus", 48_000),
        ("aiff", "pcm_s16be", 44_100),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_phones_make_is_read(kind: str, codec: str, rate_hz: int, channels: int) -> None:
    time = np.arange(2 * rate_hz) / rate_hz
    pcm = (8_000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    heard = decode(file_of(pcm, rate_hz, kind, codec, channels=channels))
    assert heard.rate_hz == rate_hz
    assert heard.seconds == pytest.approx(2, abs=0.2)
    assert heard.samples.dtype == np.float32
    assert pitch_hz(heard.samples, rate_hz) == pytest.approx(440, abs=2)
    middle = heard.samples[rate_hz // 2 : rate_hz]
    assert np.abs(middle).max() == pytest.approx(8_000 / 32_768, rel=0.2)


def test_ogg_vorbis_is_read() -> None:
    file = io.BytesIO()
    soundfile.write(file, PCM, VOICE_HZ, format="OGG", subtype="VORBIS")
    heard = decode(file.getvalue())
    assert heard.seconds == pytest.approx(2, abs=0.1)
    assert pitch_hz(heard.samples, heard.rate_hz) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"RIFF" + bytes(100),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"ID3" + bytes(1_000),
        wav.encode(TONE[:0], VOICE_HZ),
        wav.encode(TONE, 2_000),  # a rate that no microphone has
    ],
)
def test_what_is_no_recording_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(VoiceError):
        decode(data)


def test_what_is_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VoiceError, match="longer than 3 minutes"):
        decode(wav.encode(np.zeros(8_000 * 200, np.int16), 8_000))
    monkeypatch.setattr(recording, "MAX_FILE_BYTES", 1 << 20)
    with pytest.raises(VoiceError, match="MB"):
        decode(bytes((1 << 20) + 1))


@given(
    st.binary(max_size=400), st.sampled_from([b"RIFF", b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb"])
)
def test_any_bytes_are_read_or_refused(data: bytes, magic: bytes) -> None:
    try:
        heard = decode(magic + data)
    except VoiceError:
        return
    assert np.isfinite(heard.samples).all()


@given(st.integers(0, 3_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_read_or_refused(at: int, damage: bytes) -> None:
    data = bytearray(wav_of(voice(0.1)))
    data[at : at + len(damage)] = damage
    try:
        heard = decode(bytes(data))
    except VoiceError:
        return
    assert np.isfinite(heard.samples).all()
