"""Answers as they stream in: JSON that is spoken while it grows, or plain text.

Sans-I/O: pieces of text in, parts of the answer out. A model that was asked for JSON sometimes
answers with something else, or with JSON that is broken or cut off. What can be read of it is
spoken all the same, and the JSON around it never is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from relay.llm import actions, lenient
from relay.llm.base import Emotion, Heard, MemoryNote, Part
from relay.llm.emotions import NAMES

MAX_NOTE_CHARS = 200
MAX_TRANSCRIPT_CHARS = 2_000

_KEYS = ("heard", "language", "transcript", "emotion", "reply", "memory_note")
_FENCE = re.compile(r"[\s`\[]*(?:json(?=[\s`\[{]))?[\s`\[]*")
_CONTROLS = re.compile(r"[\x00-\x1f]")
_LOOKS_LIKE_FIELDS = re.compile(r"""\{\s*(?:["']|\w+\s*:|\}|\Z)""")
_SYNTAX = re.compile(r'"[^"]{0,40}"\s*:|[{}\[\]"`]')
_HANGUL = re.compile("[가-힣ㄱ-ㅣ]")


class AnswerReader(Protocol):
    """Makes parts of pieces."""

    @property
    def unheard(self) -> bool:
        """Nothing was said to the doll, so nothing is answered."""
        ...

    def push(self, text: str) -> Sequence[Heard | Part]:
        """The parts that are certain once `text` has come."""
        ...

    def finish(self) -> Sequence[Heard | Part]:
        """What was held back, at the end of the answer."""
        ...


class JsonAnswer:
    """Reads `{emotion, reply, memory_note, actions}`: the reply as it grows, the others once they
    are whole, and actions of a whole object only.

    With `languages` (those of the persona, the likeliest first) it is the answer of a model that
    heard the audio, `{heard, language, transcript, emotion, …}`: Heard comes before any text, and
    nothing else comes where it was not speech.
    """

    def __init__(self, languages: tuple[str, ...] = ()) -> None:
        self._languages = languages
        self._text = ""  # from the opening brace on; before it is known, all that came
        self._is_json: bool | None = None  # None: cannot be told yet
        self._read_at = 0  # it is read again when it has grown up to here
        self._over = False
        self._unheard = False
        self._heard = not languages
        self._emotion = False
        self._note = False
        self._spoken = ""

    @property
    def unheard(self) -> bool:
        """See AnswerReader."""
        return self._unheard

    def push(self, text: str) -> list[Heard | Part]:
        """See AnswerReader.push."""
        if self._over or not text:
            return []
        self._text += _CONTROLS.sub(" ", text)  # models break lines inside of strings
        if self._is_json is not True:
            return self._before_json()
        return self._read_on()

    def finish(self) -> list[Heard | Part]:
        """See AnswerReader.finish."""
        if self._over:
            return []
        fields, complete = self._read() if self._is_json else ({}, False)
        parts = self._parts(fields, complete=complete, whole=True)
        if not (
            self._over or self._spoken or (self._is_json and _LOOKS_LIKE_FIELDS.match(self._text))
        ):
            parts += self._say(_without_syntax(self._text))
        self._over = True
        return parts

    def _before_json(self) -> list[Heard | Part]:
        """Plain text is passed on as it is, up to a brace; a fence around JSON is not text."""
        if self._is_json is None:
            rest = self._text[_FENCE.match(self._text).end() :]  # type: ignore[union-attr]
            if not rest or "json".startswith(rest):
                return []
            self._is_json = False
            if rest.startswith("{"):
                self._text = rest
        plain, brace, rest = self._text.partition("{")
        parts: list[Heard | Part] = []
        if plain:
            parts = self._say(self._spoken + plain)
        self._text = brace + rest
        if brace:
            self._is_json = True
            self._spoken = ""
            parts += self._read_on()
        return parts

    def _read_on(self) -> list[Heard | Part]:
        if len(self._text) < self._read_at:
            return []
        fields, complete = self._read()
        return self._parts(fields, complete=complete, whole=False)

    def _read(self) -> tuple[dict[str, Any], bool]:
        """The fields so far, and whether the object is complete."""
        if "}" in self._text:
            try:  # whatever stands behind the object is not looked at
                value, _ = json.JSONDecoder().raw_decode(self._text)
            except (ValueError, RecursionError):
                pass
            else:
                return value, True
        # Read from its beginning each time: for a long one not with each letter, as that would be
        # quadratic.
        self._read_at = len(self._text) + len(self._text) // 100
        return lenient.strings(self._text, _KEYS), False

    def _parts(self, fields: dict[str, Any], *, complete: bool, whole: bool) -> list[Heard | Part]:
        parts: list[Heard | Part] = []
        growing = None if complete else next(reversed(fields), None)
        finished = {key: value for key, value in fields.items() if key != growing}
        done = fields if whole else finished
        if not self._heard and (heard := self._what_was_heard(fields, done)):
            self._heard = True
            parts.append(heard)
            if heard.kind != "speech":
                self._over = self._unheard = True
                return parts
        if not self._emotion and (name := _name(done.get("emotion"))):
            self._emotion = True
            parts.append(Emotion(name))
        if self._heard:
            parts += self._say(_text(fields.get("reply")))
        if not self._note and (note := _text(finished.get("memory_note")).strip()):
            self._note = True
            parts.append(MemoryNote(" ".join(note.split())[:MAX_NOTE_CHARS]))
        if complete:
            if not self._spoken and self._heard:
                known = (*_KEYS, actions.FIELD)
                others = (_text(value) for key, value in fields.items() if key not in known)
                parts += self._say(max(others, key=len, default=""))
            parts += actions.read(fields.get(actions.FIELD))
            self._over = True
        return parts

    def _what_was_heard(self, fields: dict[str, Any], done: dict[str, Any]) -> Heard | None:
        kind = _text(done.get("heard")).strip().lower()
        if kind == "noise":
            return Heard("noise", "", self._languages[0])
        if kind == "none" or ("transcript" in done and not _text(done["transcript"]).strip()):
            return Heard("none", "", self._languages[0])
        if "transcript" not in done and not fields.get("reply"):
            return None
        said = _text(done.get("transcript")).strip()[:MAX_TRANSCRIPT_CHARS]
        return Heard("speech", said, self._language(said, _text(done.get("language"))))

    def _language(self, said: str, told: str) -> str:
        """The script is surer than the model's word, where it tells."""
        if "ko" in self._languages and _HANGUL.search(said):
            return "ko"
        return told if told in self._languages else self._languages[0]

    def _say(self, reply: str) -> list[Heard | Part]:
        """What is new in the reply so far."""
        reply = reply.encode(errors="ignore").decode().lstrip()  # no halves of surrogate pairs
        if not reply.startswith(self._spoken):
            return []  # it was taken back; it has been spoken, though
        new = reply[len(self._spoken) :]
        self._spoken = reply
        parts: list[Heard | Part] = []
        if not self._heard and new:
            self._heard = True
            parts.append(Heard("speech", "", self._languages[0]))
        return [*parts, new] if new else parts


def _name(value: object) -> str:
    name = _text(value).strip().lower()
    return name if name in NAMES else ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return ""


def _without_syntax(text: str) -> str:
    return " ".join(_SYNTAX.sub(" ", text).split())
