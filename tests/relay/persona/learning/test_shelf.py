"""What was learned is kept whole, and deleted whole."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from relay.persona.base import Exchange
from relay.persona.learning.index import Index
from relay.persona.learning.manner import LearnedManner
from relay.persona.learning.shelf import LearnedShelf, ShelfError
from relay.persona.learning.style import Style

SECRET = "달빛열매"  # a word of the chat


def manner(answer: str = "왔어?") -> LearnedManner:
    pairs = (Exchange("나 왔어", answer), Exchange(f"{SECRET} 먹을래", "싫어"))
    style = Style(30, 9, "casual", endings=("-거든",), favourites=(SECRET,), laugh="ㅋㅋ")
    index = Index.of([pair.heard for pair in pairs])
    return LearnedManner("차차", style, pairs[1:], pairs, index)


def words_below(folder: Path) -> list[Path]:
    """Files that hold the word of the chat."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_a_manner_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    shelf = LearnedShelf(tmp_path / "learned")
    assert shelf.names() == ()
    kept = manner()
    shelf.save("chacha", kept)
    read = shelf.load("chacha")
    assert (read.speaker, read.style, read.examples) == ("차차", kept.style, kept.examples)
    assert read.nearest("나 왔어!") == (Exchange("나 왔어", "왔어?"),)
    assert shelf.names() == ("chacha",)


def test_it_is_for_the_one_who_runs_the_relay_only(tmp_path: Path) -> None:
    place = LearnedShelf(tmp_path).save("chacha", manner())
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_learning_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    shelf = LearnedShelf(tmp_path)
    shelf.save("chacha", manner())
    before = shelf.version("chacha")
    shelf.save("chacha", manner("어, 왔네"))
    assert shelf.version("chacha") != before
    assert shelf.load("chacha").exchanges[0].said == "어, 왔네"
    assert [path.name for path in tmp_path.iterdir()] == ["chacha"]


def test_forgetting_leaves_no_word_in_any_file(tmp_path: Path) -> None:
    shelf = LearnedShelf(tmp_path)
    shelf.save("chacha", manner())
    shelf.save("chacha-en", manner())
    left = tmp_path / ".chacha~crashed"  # a run that was killed while it wrote
    left.mkdir()
    (left / "exchanges.json").write_text(SECRET, encoding="utf-8")
    assert words_below(tmp_path)
    assert shelf.forget("chacha")
    assert {path.parent.name for path in words_below(tmp_path)} == {"chacha-en"}
    assert shelf.version("chacha") is None
    assert not shelf.forget("chacha")
    assert shelf.forget("chacha-en")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a" * 80, "a\0b", "~x"])
def test_a_name_does_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    shelf = LearnedShelf(tmp_path / "learned")
    assert shelf.version(name) is None
    for act in (shelf.load, shelf.forget, lambda name: shelf.save(name, manner())):
        with pytest.raises(ShelfError, match="no name"):
            act(name)


def test_what_is_damaged_is_told_with_the_way_out(tmp_path: Path) -> None:
    shelf = LearnedShelf(tmp_path)
    place = shelf.save("chacha", manner())
    about = json.loads((place / "manner.json").read_text(encoding="utf-8"))
    exchanges = (place / "exchanges.json").read_bytes()
    index = (place / "index.npz").read_bytes()
    for name, data in (
        ("manner.json", b"{}"),
        ("manner.json", json.dumps(about | {"format": 9}).encode()),
        ("manner.json", json.dumps(about | {"style": {"mood": 1}}).encode()),
        ("exchanges.json", b"[[1,2,3]]"),
        ("exchanges.json", b"\xff"),
        ("exchanges.json", exchanges[:-2] + b',["a","b"]]'),
        ("index.npz", index[: len(index) // 2]),
        ("index.npz", b"x"),
    ):
        good = (place / name).read_bytes()
        (place / name).write_bytes(data)
        with pytest.raises(ShelfError, match="doll persona forget chacha"):
            shelf.load("chacha")
        (place / name).write_bytes(good)
    np.savez(place / "index.npz", starts=np.array([object()], dtype=object))
    with pytest.raises(ShelfError):
        shelf.load("chacha")
    (place / "exchanges.json").unlink()
    with pytest.raises(ShelfError, match="cannot be read"):
        shelf.load("chacha")
