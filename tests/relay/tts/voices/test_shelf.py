from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import MAX_NAME_CHARS, VoiceError, checked_name, own_name, parse
from tests.fakes.voice_server import shelf_with, voice_of


@pytest.fixture
def shelf(tmp_path: Path) -> VoiceShelf:
    return shelf_with(tmp_path)


def test_a_voice_comes_back_as_it_was_kept(shelf: VoiceShelf) -> None:
    voice, sample = voice_of()
    assert shelf.names() == ["jinju"]
    assert shelf.get("jinju") == voice
    assert shelf.sample(voice) == sample


def test_only_its_user_can_read_it(shelf: VoiceShelf) -> None:
    folder = shelf.folder("jinju")
    shelf.add(*voice_of("other"), consent=b"RIFF")
    for path in (folder.parent, folder, shelf.folder("other")):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in (*folder.iterdir(), *shelf.folder("other").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_of_a_removed_voice_is_left(shelf: VoiceShelf, tmp_path: Path) -> None:
    _, sample = voice_of()
    lines = shelf.folder("jinju") / "lines"
    lines.mkdir()
    (lines / "abc.wav").write_bytes(sample)
    shelf.remove("jinju")
    assert shelf.names() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    with pytest.raises(VoiceError, match="there is no voice 'jinju'"):
        shelf.remove("jinju")


def test_what_an_earlier_removal_could_not_delete_goes_with_the_next(
    shelf: VoiceShelf, tmp_path: Path
) -> None:
    removed, abandoned, growing = (
        tmp_path / "voices" / name for name in (".removed-1", ".partial-1", ".partial-2")
    )
    for left in (removed, abandoned, growing):
        left.mkdir()
        (left / "sample.wav").write_bytes(b"x")
    os.utime(abandoned, (0, 0))
    shelf.remove("jinju")
    assert [left.exists() for left in (removed, abandoned, growing)] == [False, False, True]
    assert shelf.names() == []


def test_a_voice_is_replaced_only_when_told(shelf: VoiceShelf) -> None:
    voice, sample = voice_of(text="다른 말")
    with pytest.raises(VoiceError, match="--replace"):
        shelf.add(voice, sample)
    shelf.add(voice, sample, replace=True)
    assert shelf.get("jinju").text == "다른 말"


def test_half_a_voice_is_no_voice(shelf: VoiceShelf) -> None:
    (shelf.folder("jinju") / "voice.toml").unlink()
    assert not shelf.has("jinju")
    with pytest.raises(VoiceError, match="none yet"):
        shelf.get("jinju")


def test_a_name_is_the_same_however_it_is_typed(shelf: VoiceShelf) -> None:
    composed, in_pieces = "진주", "\u110c\u1175\u11ab\u110c\u116e"
    shelf.add(*voice_of(composed))
    assert shelf.has(in_pieces)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "a b", "a\0b", "x" * 33, "a\n"]
)
def test_what_is_no_name_is_refused(name: str, shelf: VoiceShelf) -> None:
    if name == "a\n":  # a line end is not part of it
        assert checked_name(name) == "a"
        return
    with pytest.raises(VoiceError):
        shelf.folder(name)


@given(st.text(max_size=60))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    home = Path("/shelf")
    try:
        folder = VoiceShelf(home).folder(name)
    except VoiceError:
        return
    assert folder.parent == home
    assert 0 < len(folder.name) <= MAX_NAME_CHARS


def test_a_setting_names_an_own_voice() -> None:
    assert own_name("own:jinju") == "jinju"
    assert own_name("af_heart") is None


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(speaker=_TEXT, text=_TEXT, seconds=st.floats(0, 100), rate_hz=st.integers(4_000, 96_000))
def test_any_text_survives_the_file(speaker: str, text: str, seconds: float, rate_hz: int) -> None:
    voice, _ = voice_of(sample=b"x", speaker=speaker, text=text, seconds=seconds, rate_hz=rate_hz)
    assert parse("jinju", voice.toml().encode()) == voice


@given(st.binary(max_size=300))
def test_any_other_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(VoiceError, match="doll voice add"):
        parse("jinju", data)


def test_the_key_tells_recordings_apart_and_no_names() -> None:
    voice, _ = voice_of()
    assert voice.key == voice_of("other")[0].key
    assert voice.key != voice_of(text="다른 말")[0].key
    assert "jinju" not in voice.key
