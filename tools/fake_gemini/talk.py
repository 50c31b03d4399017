"""What the fake says: short, in the language that was asked for, and not always the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tools.fake_gemini.request import Asked
from tools.fake_gemini.schema import fill

_QUOTED_CHARS = 60
_NOTE_SHARE = 0.2
_ESCAPED_SHARE = 0.3  # JSON whose other letters are \uXXXX: legal, and a trap for who splits it
_LONGEST_PIECE = 12


class Talk:
    """Answers in text or JSON. The same seed and the same questions get the same answers."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last = ""

    def answer(self, asked: Asked) -> str:
        """The whole text of an answer. Raises SchemaError."""
        if asked.schema is None:
            return self._reply(asked)
        escaped = self._random.random() < _ESCAPED_SHARE
        schema = asked.schema or {"type": "OBJECT", "properties": {"reply": {"type": "STRING"}}}
        value = fill(
            schema,
            lambda name, about: self._field(name, about, asked),
            self._random,
            short=() if _is_order(asked) else ("actions",),
        )
        return json.dumps(value, ensure_ascii=escaped)

    def pieces(self, text: str) -> Iterator[str]:
        """The text as it is streamed: cut anywhere, also in an escape and between surrogates."""
        start = 0
        while start < len(text):
            length = self._random.randint(1, _LONGEST_PIECE)
            yield text[start : start + length]
            start += length

    def _field(self, name: str, schema: Mapping[str, Any], asked: Asked) -> str | None:
        """What belongs in a property of this name; None for any value."""
        words = _words(language(asked))
        silent = bool(asked.sounds) and all(sound.silent for sound in asked.sounds)
        match name:
            case "heard":
                return "none" if silent else "speech"
            case "transcript":
                return "" if silent else str(self._random.choice(words["heard"]))
            case "memory_note":
                wanted = not silent and self._random.random() < _NOTE_SHARE
                nothing = None if schema.get("nullable") else ""
                return str(self._random.choice(words["notes"])) if wanted else nothing
            case "language":
                return language(asked)
            case "emotion":
                return None
            case _:
                return "" if silent else self._reply(asked)

    def _reply(self, asked: Asked) -> str:
        words = _words(language(asked))
        heard = asked.turns[-1].text.strip().splitlines() or words["heard"]
        options = [reply for reply in words["replies"] if reply != self._last]
        self._last = self._random.choice(options)
        return self._last.replace("{heard}", str(heard[-1])[:_QUOTED_CHARS])


def language(asked: Asked) -> str:
    """The language to answer in: what the end of the prompt names, else that of the question.

    A question that is only heard has no letters: then it is the prompt's own.
    """
    prompt = asked.system or asked.turns[0].text
    last_line = (prompt.strip().splitlines() or [""])[-1]
    places = {
        language: max(last_line.rfind(words["asked"]), last_line.rfind(words["also"]))
        for language, words in _all_words().items()
    }
    named = max(places, key=lambda language: places[language])
    if places[named] >= 0:
        return named
    letters = asked.turns[-1].text or prompt
    return "ko" if any("가" <= letter <= "힣" for letter in letters) else "en"


def _is_order(asked: Asked) -> bool:
    """Whether the doll is told to do something; else its tools are left alone, as it was asked."""
    said = asked.turns[-1].text.lower()
    return any(word in said for words in _all_words().values() for word in words["orders"])


def _words(language: str) -> dict[str, Any]:
    return _all_words()[language]


@cache
def _all_words() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("talk.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))
