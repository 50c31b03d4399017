"""The streaming form of the voice is made once, kept whole, and made again when it is damaged."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from relay.models import ModelError
from relay.tts import kokoro_split
from relay.tts.kokoro_split import FRONT, MADE, STATISTICS, VOCODER, prepared


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was made; making takes no time here."""
    targets: list[Path] = []

    def make(published: Path, target: Path) -> None:
        targets.append(target)
        names = (FRONT, VOCODER, STATISTICS)
        for name in names:
            (target / name).write_bytes(name.encode())
        digests = {name: sha256(name.encode()).hexdigest() for name in names}
        (target / MADE).write_text(json.dumps(digests))

    monkeypatch.setattr(kokoro_split, "_make_apart", make)
    return targets


def test_it_is_made_once(made: list[Path], tmp_path: Path) -> None:
    home = prepared(tmp_path)
    assert prepared(tmp_path) == home
    assert len(made) == 1
    assert (home / FRONT).read_bytes() == FRONT.encode()
    assert [path for path in tmp_path.iterdir() if path != home] == []


@pytest.mark.parametrize("name", [FRONT, VOCODER, STATISTICS, MADE])
def test_a_damaged_file_is_made_again(made: list[Path], tmp_path: Path, name: str) -> None:
    home = prepared(tmp_path)
    (home / name).write_bytes(b"damaged")
    assert prepared(tmp_path) == home
    assert len(made) == 2
    assert (home / FRONT).read_bytes() == FRONT.encode()


@pytest.mark.parametrize("name", [FRONT, MADE])
def test_a_missing_file_is_made_again(made: list[Path], tmp_path: Path, name: str) -> None:
    (prepared(tmp_path) / name).unlink()
    assert (prepared(tmp_path) / name).exists()
    assert len(made) == 2


def test_what_an_older_version_made_is_removed(made: list[Path], tmp_path: Path) -> None:
    old = tmp_path / "streaming-01234567"
    old.mkdir()
    (old / FRONT).write_bytes(b"old")
    home = prepared(tmp_path)
    assert list(tmp_path.iterdir()) == [home]


def test_another_process_may_be_faster(
    made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = kokoro_split._make_apart

    def slow(published: Path, target: Path) -> None:
        monkeypatch.setattr(kokoro_split, "_make_apart", make)
        prepared(tmp_path)  # the other one, while this one is at it
        monkeypatch.setattr(kokoro_split.shutil, "rmtree", keep)
        make(published, target)

    remove = kokoro_split.shutil.rmtree

    def keep(path: Path, ignore_errors: bool = False) -> None:
        """Let the other one's result appear between the removal and the renaming."""
        if path.suffix == ".partial":
            remove(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(kokoro_split, "_make_apart", slow)
    home = prepared(tmp_path)
    assert list(tmp_path.iterdir()) == [home]


def test_a_model_that_is_none_is_a_clear_failure_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"this is no model")
    with pytest.raises(ModelError, match="cannot be prepared"):
        prepared(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kokoro-v1.0.int8.onnx"]


def test_a_directory_that_is_not_there_is_a_clear_failure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="DOLL_MODELS"):
        prepared(tmp_path / "nothing")
