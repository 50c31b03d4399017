from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from tools.simulator import wav as wav_module
from tools.simulator.errors import SimulatorError
from tools.simulator.wav import loud_span, read_question, write_wav

RATE = 16_000


def tone(rate: int, seconds: float = 0.5, hz: float = 440) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def save(path: Path, samples: np.ndarray, rate: int, width: int, channels: int = 1) -> Path:
    """Samples between -1 and 1 as PCM of any width, the same in all channels."""
    full = 1 << (8 * width - 1)
    whole = np.rint(samples * full).astype(np.int64).repeat(channels)
    if width == 1:
        data = (whole + 128).astype(np.uint8).tobytes()
    else:
        data = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_width_and_channels_give_the_same_sound(
    tmp_path: Path, width: int, channels: int
) -> None:
    samples = tone(RATE)
    pcm = read_question(save(tmp_path / "a.wav", samples, RATE, width, channels))
    assert pcm.dtype == np.int16
    assert len(pcm) == len(samples)
    assert np.abs(pcm - samples * 32768).max() <= (256 if width == 1 else 1)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_16_khz(tmp_path: Path, rate: int) -> None:
    pcm = read_question(save(tmp_path / "a.wav", tone(rate), rate, 2))
    assert abs(len(pcm) - RATE // 2) <= 1
    middle = slice(1000, 7000)  # a resampler has edges
    assert np.abs(pcm[middle] - tone(RATE)[middle] * 32768).max() < 200


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    pcm = np.array([0, 1, -1, 32767, -32768], np.int16)
    write_wav(tmp_path / "a.wav", pcm)
    assert read_question(tmp_path / "a.wav").tolist() == pcm.tolist()


def test_what_is_no_wav_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    for data in (b"", b"ID3", b"RIFF", b"RIFF\x24\0\0\0WAVEfmt "):
        path.write_bytes(data)
        with pytest.raises(SimulatorError, match=r"song\.mp3"):
            read_question(path)


def test_a_float_wav_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "float.wav"
    form = struct.pack("<HHIIHH", 3, 1, RATE, RATE * 4, 4, 32)
    path.write_bytes(b"RIFF\x30\0\0\0WAVEfmt \x10\0\0\0" + form + b"data\x04\0\0\0\0\0\0\0")
    with pytest.raises(SimulatorError, match="save it as 16-bit"):
        read_question(path)


def test_missing_folder_empty_and_endless_files_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SimulatorError, match="cannot read"):
        read_question(tmp_path / "none.wav")
    with pytest.raises(SimulatorError, match="cannot read"):
        read_question(tmp_path)
    with pytest.raises(SimulatorError, match="no samples"):
        read_question(save(tmp_path / "empty.wav", tone(RATE)[:0], RATE, 2))
    monkeypatch.setattr(wav_module, "MAX_QUESTION_S", 0.1)
    with pytest.raises(SimulatorError, match="longer than"):
        read_question(save(tmp_path / "long.wav", tone(RATE), RATE, 2))


def test_the_loud_part_is_found_between_its_silences() -> None:
    pcm = np.zeros(1000, np.int16)
    pcm[300], pcm[700], pcm[900] = 100, -32768, 99
    assert loud_span(pcm, loud=100) == (300, 701)
    assert loud_span(pcm[:300]) is None
