from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import structlog

from relay.audio import Pcm
from relay.tts.repertoire import Repertoire
from relay.tts.voices.settings import OwnVoiceSettings
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.usual import OwnOrUsual
from tests.fakes.lines import a_repertoire
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import shelf_with, voice_of

LINE = "음, 잠깐만."


class OwnVoices(FakeTextToSpeech):
    """Speaks with any voice of a shelf."""

    def knows(self, voice: str) -> bool:
        return voice.startswith("own:")

    async def learn(self, name: str = "") -> None: ...


async def test_each_voice_has_its_own_recordings_and_they_last(tmp_path: Path) -> None:
    tts = FakeTextToSpeech()
    repertoire = a_repertoire(tmp_path, tts)
    low = await repertoire.of("low")
    await low.record(LINE, "ko")
    assert [call.voice for call in tts.calls] == ["low"]
    for voice, there in (("low", True), ("high", False), ("", False)):
        for known in (repertoire, a_repertoire(tmp_path, tts)):
            assert (await known.of(voice)).recorded.has(LINE, "ko") is there


async def test_a_voice_that_is_not_there_shares_the_lines_of_the_default(tmp_path: Path) -> None:
    repertoire = a_repertoire(tmp_path, FakeTextToSpeech())
    default = await repertoire.of()
    assert (await repertoire.of("nobody")).recorded is default.recorded
    assert (await repertoire.of("own:nobody")).recorded is default.recorded


async def test_what_the_default_spoke_is_not_kept_as_another_voices_line(tmp_path: Path) -> None:
    class Remote(FakeTextToSpeech):
        """Finds out only while it speaks that it has no such voice."""

        asked = False

        def knows(self, voice: str) -> bool:
            return not self.asked or not voice

        async def speak(
            self, text: str, language: str, voice: str = ""
        ) -> AsyncGenerator[Pcm, None]:
            self.asked = True
            async for chunk in super().speak(text, language):
                yield chunk

    repertoire = a_repertoire(tmp_path, Remote())
    part = await repertoire.of("nobody")
    await part.record(LINE, "ko")
    assert not part.recorded.has(LINE, "ko")
    assert (await repertoire.of("nobody")).voice == ""


async def test_a_voice_for_lines_speaks_for_all_but_own_voices(tmp_path: Path) -> None:
    usual, for_lines, own = FakeTextToSpeech(), FakeTextToSpeech(), OwnVoices()
    shelf = shelf_with(tmp_path)
    tts = OwnOrUsual(shelf, lambda: own, usual)
    repertoire = Repertoire(tts, shelf, OwnVoiceSettings(), tmp_path / "lines", "x", for_lines)
    parts = [await repertoire.of(voice) for voice in ("low", "jf_alpha", "own:jinju", "own:gone")]
    assert [(part.tts, part.voice) for part in parts] == [
        (for_lines, "low"),
        (for_lines, ""),
        (own, "own:jinju"),
        (for_lines, ""),
    ]


async def test_two_voices_of_one_sample_do_not_share_their_folders(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path)
    shelf.add(*voice_of("twin"))
    own = OwnVoices()
    tts = OwnOrUsual(shelf, lambda: own, FakeTextToSpeech())
    repertoire = Repertoire(tts, shelf, OwnVoiceSettings(), tmp_path / "lines", "x")
    jinju, twin = await repertoire.of("own:jinju"), await repertoire.of("own:twin")
    await jinju.record(LINE, "ko")
    await twin.record(LINE, "ko")
    shelf.remove("jinju")
    assert not jinju.recorded.has(LINE, "ko")
    assert twin.recorded.has(LINE, "ko")


async def test_a_voice_that_cannot_be_read_leaves_the_lines_of_the_usual_one(
    tmp_path: Path,
) -> None:
    shelf = shelf_with(tmp_path)
    (shelf.folder("jinju") / "voice.toml").write_text("speaker =", encoding="utf-8")
    usual = FakeTextToSpeech()
    tts = OwnOrUsual(shelf, OwnVoices, usual)
    repertoire = Repertoire(tts, shelf, OwnVoiceSettings(), tmp_path / "lines", "x")
    part = await repertoire.of("own:jinju")
    assert (part.tts, part.voice) == (usual, "")


async def test_a_folder_that_cannot_be_used_is_told_and_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("not a folder", encoding="utf-8")
    with structlog.testing.capture_logs() as logs:
        part = await a_repertoire(tmp_path / "lines", FakeTextToSpeech()).of()
    assert [log["event"] for log in logs] == ["recorded lines cannot be read"]
    assert not part.recorded.has(LINE, "ko")
    with pytest.raises(OSError, match="lines"):
        await part.record(LINE, "ko")


def test_a_shelf_knows_its_voices_by_their_full_names(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, "진주")
    assert shelf.there("own:진주") == "진주"
    for voice in ("own:수아", "own:../진주", "own:", "진주", ""):
        assert VoiceShelf.of(tmp_path).there(voice) is None
