from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import structlog

from relay.errors import ErrorKind, ProviderError
from relay.tts.voices.lines import own_lines
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import shelf_with, voice_of
from tests.relay.tts.contract import TextToSpeechContract, spoken

RATE_HZ = 16_000


@pytest.fixture
def shelf(tmp_path: Path) -> VoiceShelf:
    return shelf_with(tmp_path)


class Pair:
    """An own voice and the usual one."""

    def __init__(self, shelf: VoiceShelf) -> None:
        self.own = FakeTextToSpeech()
        self.usual = FakeTextToSpeech()
        self.tts = OwnOrUsual("jinju", shelf, self.own, self.usual)


@pytest.fixture
def pair(shelf: VoiceShelf) -> Pair:
    return Pair(shelf)


class TestContract(TextToSpeechContract):
    @pytest.fixture
    def tts(self, pair: Pair) -> OwnOrUsual:
        return pair.tts


async def test_the_own_voice_speaks(pair: Pair) -> None:
    await spoken(pair.tts, "안녕")
    assert (len(pair.own.calls), len(pair.usual.calls)) == (1, 0)


async def test_where_it_breaks_off_the_usual_one_goes_on_in_the_same_clause(pair: Pair) -> None:
    whole = np.concatenate(await spoken(pair.tts, "안녕"))
    pair.own.error, pair.own.error_after = ProviderError(ErrorKind.NETWORK, "gone"), 2
    heard = np.concatenate(await spoken(pair.tts, "안녕"))
    assert len(pair.usual.calls) == 1
    assert len(heard) == len(whole)


async def test_a_deleted_voice_is_missed_once_and_the_usual_one_speaks(
    pair: Pair, shelf: VoiceShelf
) -> None:
    shelf.remove("jinju")
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            assert await spoken(pair.tts, "안녕")
    assert [entry["event"] for entry in logged] == ["own voice is gone, the usual one speaks"]
    assert not pair.own.calls
    assert pair.tts.preferred is pair.usual
    shelf.add(*voice_of())
    await spoken(pair.tts, "안녕")
    assert len(pair.own.calls) == 1
    assert pair.tts.preferred is pair.own


async def test_lines_lie_beside_the_sample_and_go_with_it(shelf: VoiceShelf) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    await lines.record(FakeTextToSpeech(), "잠깐만.", "ko")
    assert lines.has("잠깐만.", "ko")
    assert await lines.get("잠깐만.", "ko") is not None
    assert list((shelf.folder("jinju") / "lines").glob("*.wav"))
    shelf.remove("jinju")
    assert not lines.has("잠깐만.", "ko")  # nor is it played from memory
    assert await lines.get("잠깐만.", "ko") is None
    with pytest.raises(OSError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    assert not shelf.folder("jinju").exists()


async def test_a_voice_that_is_deleted_while_a_line_is_written_does_not_come_back(
    shelf: VoiceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    there = iter((True, False, False))
    shutil.rmtree(shelf.folder("jinju"))
    monkeypatch.setattr(shelf, "has", lambda _: next(there))
    with pytest.raises(OSError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    assert not shelf.folder("jinju").exists()


async def test_another_sample_has_no_lines_of_the_one_before(shelf: VoiceShelf) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    await lines.record(FakeTextToSpeech(), "음.", "ko")
    shelf.add(*voice_of(text="다른 말"), replace=True)
    after = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await after.open()
    assert not after.has("음.", "ko")
