from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from relay.errors import ErrorKind, ProviderError
from relay.tts.lines import RecordedLines
from tests.fakes.tts import FakeTextToSpeech

RATE_HZ = 24_000
LINE = "음, 잠깐만."


async def lines(directory: Path, voice: str = "kokoro/jf", limit: int = 1 << 20) -> RecordedLines:
    opened = RecordedLines(directory, voice, RATE_HZ, limit=limit)
    await opened.open()
    return opened


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def voice(seconds: float = 0.5) -> FakeTextToSpeech:
    return FakeTextToSpeech(seconds, rate_hz=RATE_HZ)


async def test_a_line_is_kept_beyond_the_process(tmp_path: Path) -> None:
    first = await lines(tmp_path)
    assert await first.get(LINE, "ko") is None
    await first.record(voice(), LINE, "ko")
    second = await lines(tmp_path)
    assert second.has(LINE, "ko")
    pcm = await second.get(LINE, "ko")
    assert pcm is not None
    assert len(pcm) == RATE_HZ // 2
    assert np.array_equal(pcm, np.concatenate(voice()._chunks()))


@pytest.mark.parametrize("other", [("kokoro/other", LINE, "ko"), ("kokoro/jf", LINE, "en")])
async def test_another_voice_or_language_has_lines_of_its_own(
    tmp_path: Path, other: tuple[str, str, str]
) -> None:
    await (await lines(tmp_path)).record(voice(), LINE, "ko")
    name, text, language = other
    assert not (await lines(tmp_path, name)).has(text, language)


async def test_what_failed_halfway_leaves_nothing(tmp_path: Path) -> None:
    recorded = await lines(tmp_path)
    broken = FakeTextToSpeech(
        rate_hz=RATE_HZ, error=ProviderError(ErrorKind.SERVER, "x"), error_after=2
    )
    with pytest.raises(ProviderError):
        await recorded.record(broken, LINE, "ko")
    assert not recorded.has(LINE, "ko")
    assert files(tmp_path) == []


async def test_a_voice_without_end_is_not_kept(tmp_path: Path) -> None:
    recorded = await lines(tmp_path)
    await recorded.record(voice(seconds=40.0), LINE, "ko")
    assert not recorded.has(LINE, "ko")


def _not_a_wave(path: Path) -> None:
    path.write_bytes(b"not a wave file at all")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _of_another_rate(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(200))


@pytest.mark.parametrize("spoil", [_not_a_wave, _cut_short, _of_another_rate, Path.unlink])
async def test_a_spoiled_file_is_as_good_as_none(tmp_path: Path, spoil: object) -> None:
    await (await lines(tmp_path)).record(voice(), LINE, "ko")
    (path,) = files(tmp_path)
    spoil(path)  # type: ignore[operator]
    recorded = await lines(tmp_path)
    assert await recorded.get(LINE, "ko") is None
    assert not recorded.has(LINE, "ko")
    assert files(tmp_path) == []
    await recorded.record(voice(), LINE, "ko")
    assert await recorded.get(LINE, "ko") is not None


async def test_the_directory_does_not_grow_without_bound(tmp_path: Path) -> None:
    size = RATE_HZ  # bytes of half a second
    recorded = await lines(tmp_path, limit=3 * size + 1000)
    for number in range(8):
        await recorded.record(voice(), f"{number}번째 줄", "ko")
    there = [number for number in range(8) if recorded.has(f"{number}번째 줄", "ko")]
    assert len(there) == len(files(tmp_path)) == 3
    assert 7 in there
