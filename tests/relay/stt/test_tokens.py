"""Whisper's tokens become text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from relay.models import WHISPER_BASE, ensure
from relay.stt.tokens import Tokens


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """한 is the bytes ED 95 9C, split over two tokens here."""
    file = tmp_path_factory.mktemp("tokens") / "tokenizer.json"
    vocabulary = {"a": 0, "\u0120b": 1, "\u00ed": 2, "\u0137\u013e": 3, "<|endoftext|>": 4}
    special = [{"id": 4, "content": "<|endoftext|>"}, {"id": 5, "content": "<|ko|>"}]
    table = {"model": {"vocab": vocabulary}, "added_tokens": special}
    file.write_text(json.dumps(table), encoding="utf-8")
    return Tokens(file)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [([], ""), ([0, 1], "a b"), ([2, 3], "한"), ([2, 0], "\ufffda"), ([0, 4, 5, 9, -1, 0], "aa")],
)
def test_bytes_become_characters(table: Tokens, tokens: list[int], text: str) -> None:
    assert table.decode(tokens) == text


def test_special_tokens_have_numbers(table: Tokens) -> None:
    assert table.special("<|ko|>") == 5
    assert table.special("<|tlh|>") is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "not json",
        '{"model": {"vocab": {}}}',
        '{"model": {"vocab": {"한": 0}}, "added_tokens": []}',
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises((ValueError, KeyError, TypeError)):
        Tokens(tmp_path / "tokenizer.json")


@pytest.fixture(scope="module")
def whisper() -> tuple[Tokens, tokenizers.Tokenizer]:
    file = ensure(WHISPER_BASE) / "tokenizer.json"
    return Tokens(file), tokenizers.Tokenizer.from_file(str(file))


@pytest.mark.models
@given(tokens=st.lists(st.integers(0, 50_256), max_size=8), text=st.text(max_size=12))
def test_it_is_what_the_tokenizer_library_says(
    whisper: tuple[Tokens, tokenizers.Tokenizer], tokens: list[int], text: str
) -> None:
    ours, theirs = whisper
    assert ours.decode(tokens) == theirs.decode(tokens)
    encoded = theirs.encode(text, add_special_tokens=False).ids
    assert ours.decode(encoded) == theirs.decode(encoded)
