from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
import structlog

from relay.errors import ErrorKind, ProviderError
from relay.llm.extras import MissingExtraError
from relay.tts.voices.lines import own_lines
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from relay.tts.voices.voice import OwnVoice
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import other_voice, shelf_with, voice_of
from tests.relay.tts.contract import TextToSpeechContract, spoken

RATE_HZ = 16_000


@pytest.fixture
def shelf(tmp_path: Path) -> VoiceShelf:
    shelf = shelf_with(tmp_path)
    shelf.add(*other_voice("sua"))
    return shelf


class OwnVoices(FakeTextToSpeech):
    """Stands for a voice server."""

    def __init__(self) -> None:
        super().__init__(voices={"own:jinju": 330.0, "own:sua": 550.0})
        self.learned: list[str] = []

    async def learn(self, name: str = "") -> None:
        self.learned.append(name)
        if self.error is not None:
            raise self.error


class Pair:
    """Own voices, of which jinju is the default, and the usual ones."""

    def __init__(self, shelf: VoiceShelf, default: str = "own:jinju") -> None:
        self.own = OwnVoices()
        self.usual = FakeTextToSpeech()
        self.opened = 0
        self.tts = OwnOrUsual(shelf, self.open, self.usual, default)

    def open(self) -> OwnVoices:
        self.opened += 1
        return self.own


@pytest.fixture
def pair(shelf: VoiceShelf) -> Pair:
    return Pair(shelf)


class TestContract(TextToSpeechContract):
    voices = ("own:jinju", "own:sua")
    unknown = ("own:nobody", "own:../sua", "no-such-voice")

    @pytest.fixture
    def tts(self, pair: Pair) -> OwnOrUsual:
        return pair.tts


class TestUsualByDefault(TextToSpeechContract):
    voices = ("low", "own:sua")
    unknown = ("own:nobody", "no-such-voice")

    @pytest.fixture
    def tts(self, shelf: VoiceShelf) -> OwnOrUsual:
        return Pair(shelf, default="").tts


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
    assert [entry["event"] for entry in logged] == ["voice not known, the default speaks"]
    assert not pair.own.calls
    assert await pair.tts.alone() == (pair.usual, "")
    shelf.add(*voice_of())
    await spoken(pair.tts, "안녕")
    assert len(pair.own.calls) == 1
    assert await pair.tts.alone() == (pair.own, "own:jinju")


async def test_a_deleted_voice_leaves_the_others_and_the_default(
    pair: Pair, shelf: VoiceShelf
) -> None:
    shelf.remove("sua")
    await spoken(pair.tts, "안녕", voice="own:sua")
    await spoken(pair.tts, "안녕", voice="low")
    assert [call.voice for call in pair.own.calls] == ["own:jinju"]
    assert [call.voice for call in pair.usual.calls] == ["low"]


async def test_one_voice_that_fails_does_not_put_the_others_to_rest(pair: Pair) -> None:
    pair.own.error = ProviderError(ErrorKind.SERVER, "this sample is spoiled")
    await spoken(pair.tts, "안녕", voice="own:sua")
    pair.own.error = None
    await spoken(pair.tts, "안녕", voice="own:sua")  # it rests
    await spoken(pair.tts, "안녕", voice="own:jinju")
    assert [call.voice for call in pair.own.calls] == ["own:sua", "own:jinju"]
    assert [call.voice for call in pair.usual.calls] == ["", ""]


async def test_own_voices_are_opened_once_and_only_when_a_doll_has_one(shelf: VoiceShelf) -> None:
    pair = Pair(shelf, default="")
    pair.tts.warm_up("low")
    await spoken(pair.tts, "안녕")
    await spoken(pair.tts, "안녕", voice="own:nobody")
    assert pair.opened == 0
    await asyncio.gather(*(spoken(pair.tts, "안녕", voice="own:sua") for _ in range(3)))
    assert pair.opened == 1


async def test_without_what_own_voices_need_the_usual_one_speaks_and_the_log_says_why(
    shelf: VoiceShelf,
) -> None:
    def missing() -> OwnVoices:
        raise MissingExtraError("own voice", "voice", ImportError("no module"))

    usual = FakeTextToSpeech()
    tts = OwnOrUsual(shelf, missing, usual)
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            assert await spoken(tts, "안녕", voice="own:sua")
    assert ["talking-doll[voice]" in entry["why"] for entry in logged] == [True]
    assert [call.voice for call in usual.calls] == ["", ""]
    assert not tts.knows("own:sua")


async def test_a_voice_is_warmed_up_under_the_name_that_it_has(pair: Pair) -> None:
    for voice in ("own:sua", "own:sua", "low", ""):
        pair.tts.warm_up(voice)
    async with asyncio.timeout(20):
        while len(pair.own.learned) < 2:
            await asyncio.sleep(0.01)
    assert sorted(pair.own.learned) == ["jinju", "sua"]


async def test_a_voice_that_cannot_be_warmed_up_is_told(pair: Pair) -> None:
    pair.own.error = ProviderError(ErrorKind.NETWORK, "not reached")
    with structlog.testing.capture_logs() as logged:
        pair.tts.warm_up("own:sua")
        async with asyncio.timeout(20):
            while not logged:
                await asyncio.sleep(0.01)
    assert (logged[0]["voice"], logged[0]["why"]) == ("own:sua", "not reached")
    await pair.tts.close()


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
    with pytest.raises(ProviderError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    assert not shelf.folder("jinju").exists()


async def test_a_voice_that_is_deleted_while_a_line_is_written_does_not_come_back(
    shelf: VoiceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    voice = shelf.get("jinju")
    shutil.rmtree(shelf.folder("jinju"))
    _seen_once(shelf, voice, monkeypatch)
    with pytest.raises(ProviderError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    assert not shelf.folder("jinju").exists()


async def test_a_voice_that_is_replaced_while_a_line_is_written_leaves_nothing_to_the_new_one(
    shelf: VoiceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    voice = shelf.get("jinju")
    shelf.add(*voice_of(text="다른 말"), replace=True)
    with pytest.raises(ProviderError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    _seen_once(shelf, voice, monkeypatch)
    with pytest.raises(ProviderError, match="was deleted"):
        await lines.record(FakeTextToSpeech(), "음.", "ko")
    assert shelf.has("jinju")
    assert not list(shelf.folder("jinju").rglob("lines/*.wav"))


def _seen_once(shelf: VoiceShelf, voice: OwnVoice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shelf as it is seen by who looked just before it changed."""
    seen, get = [voice], shelf.get
    monkeypatch.setattr(shelf, "get", lambda name: seen.pop() if seen else get(name))


async def test_another_sample_has_no_lines_of_the_one_before(shelf: VoiceShelf) -> None:
    lines = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await lines.open()
    await lines.record(FakeTextToSpeech(), "음.", "ko")
    shelf.add(*voice_of(text="다른 말"), replace=True)
    after = own_lines(shelf, "jinju", OwnVoiceSettings(), RATE_HZ)
    await after.open()
    assert not after.has("음.", "ko")
