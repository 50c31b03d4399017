"""Whisper's tokens back to text. Only that way round is needed, which takes no tokenizer library.

Tokens are strings of bytes (GPT-2's byte-level BPE). The file writes each byte as a printable
character: printable Latin-1 stands for itself, the other 68 bytes are counted up from U+0100
(`bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


class Tokens:
    """The table in a model's `tokenizer.json`: one block of bytes, and the special tokens."""

    def __init__(self, file: Path) -> None:
        """Read `file`. Raises OSError, and ValueError or KeyError for what is no such file."""
        table = json.loads(file.read_text(encoding="utf-8"))
        vocabulary: dict[str, int] = table["model"]["vocab"]
        self._special: Mapping[str, int] = {
            token["content"]: token["id"] for token in table["added_tokens"]
        }
        byte_of = {character: byte for byte, character in enumerate(_characters())}
        words = [b""] * (max(vocabulary.values(), default=-1) + 1)
        for text, number in vocabulary.items():
            if text not in self._special:
                words[number] = bytes(byte_of[character] for character in text)
        self._ends = np.cumsum([0, *map(len, words)], dtype=np.uint32)
        self._bytes = b"".join(words)

    def special(self, content: str) -> int | None:
        """The number of a special token such as <|ko|>, if there is one."""
        return self._special.get(content)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; special ones say nothing, and a broken character is U+FFFD."""
        return b"".join(map(self._word, tokens)).decode("utf-8", "replace")

    def _word(self, token: int) -> bytes:
        if token in self._special.values() or not 0 <= token < len(self._ends) - 1:
            return b""
        return self._bytes[int(self._ends[token]) : int(self._ends[token + 1])]


def _characters() -> list[str]:
    """The character for each byte."""
    others = iter(range(0x100, 0x200))
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    return [chr(byte if byte in printable else next(others)) for byte in range(0x100)]
