"""Whether somebody has agreed: by typing the sentence that they were shown."""

from __future__ import annotations

import re
import unicodedata

_NOT_SAID = re.compile(r"[\W_]+")


def agrees(typed: str, sentence: str) -> bool:
    """Whether `typed` is the sentence, whatever marks and spaces it was typed with."""
    return bool(_plain(sentence)) and _plain(typed) == _plain(sentence)


def _plain(text: str) -> str:
    return _NOT_SAID.sub("", unicodedata.normalize("NFC", text)).casefold()
