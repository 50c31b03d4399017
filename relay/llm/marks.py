"""What a plain answer says beside its words: its mood and a note, in marks, never spoken.

Sans-I/O: pieces of text in, parts of the answer out. A model is asked for
`<emotion>happy</emotion>` before its words and `<note>…</note>` behind them. Small models write
`**Note:** …` or `[note: …]`, forget to close what they opened, or answer with an object after all;
all of that is read as what it was meant to be. What cannot be the beginning of a mark is passed on
at once.
"""

from __future__ import annotations

from typing import Final

from relay.llm.answers import MAX_NOTE_CHARS, JsonAnswer
from relay.llm.base import Emotion, Heard, MemoryNote, Part
from relay.llm.emotions import NAMES

#: A mark of an emotion holds one of a few words; what is longer was no mark.
_MAX_EMOTION_CHARS = 24

_KINDS: Final = {
    "note": "note", "memory_note": "note", "memory note": "note", "memo": "note",
    "메모": "note", "emotion": "emotion", "reply": "reply",
}  # fmt: skip

_NOTHING: Final = {"", "-", "없음", "없다", "빈 글", "none", "empty", "n/a", "null", "nothing"}

#: How a mark begins -> its kind and what ends it. A line break ends each.
_ANYWHERE: dict[str, tuple[str, str]] = {}
_AT_LINE_START: dict[str, tuple[str, str]] = {}
for _name, _kind in _KINDS.items():
    _ANYWHERE |= {
        f"<{_name}>": (_kind, "<"),
        f"</{_name}>": ("reply", ""),  # nothing but itself is left out
        f"[{_name}]": (_kind, "["),
        f"[/{_name}]": ("reply", ""),
        f"[{_name}:": (_kind, "]"),
        f"({_name}:": (_kind, ")"),
    }
    for _mark in (f"{_name}:", f"**{_name}:**", f"**{_name}**:", f"- {_name}:"):
        _AT_LINE_START[_mark] = (_kind, "")
_ANYWHERE |= dict.fromkeys(('{"', "{'", '{ "', "{ '", "{\n", "{}"), ("json", ""))
_ANYWHERE |= {"```json": ("reply", "")}
_EVERYWHERE: Final = _ANYWHERE | _AT_LINE_START
_FIRST: Final = frozenset(opening[0] for opening in _ANYWHERE)
_LONGEST: Final = max(map(len, _EVERYWHERE))


class Marks:
    """Takes the marks out of a plain answer."""

    def __init__(self) -> None:
        self._held = ""  # may yet be the beginning of a mark
        self._line_start = True
        self._inside: tuple[str, str] | None = None  # kind and end of the mark that is read
        self._content = ""
        self._json: JsonAnswer | None = None  # an object has begun
        self._told: set[type] = set()
        self._speaks = False

    def feel(self, name: str) -> list[Part]:
        """The emotion was told by a face: no mark changes it."""
        return self._once([Emotion(name)])

    def push(self, text: str) -> list[Part]:
        """The parts that are certain once `text` has come."""
        return self._once(self._read(text, whole=False))

    def finish(self) -> list[Part]:
        """What was held back, at the end of the answer."""
        parts = self._read("", whole=True)
        if self._inside:
            parts += self._closed()
        if self._json is not None:
            parts += _parts(self._json.finish())
        return self._once(parts)

    def _once(self, parts: list[Part]) -> list[Part]:
        """One emotion and one note are enough; before the first word there is no blank."""
        kept: list[Part] = []
        for part in parts:
            if isinstance(part, str):
                part = part if self._speaks else part.lstrip()
                if part:
                    self._speaks = True
                    kept.append(part)
            elif not isinstance(part, Emotion | MemoryNote) or type(part) not in self._told:
                self._told.add(type(part))
                kept.append(part)
        return kept

    def _read(self, text: str, *, whole: bool) -> list[Part]:
        if self._json is not None:
            return _parts(self._json.push(text))
        text, self._held = self._held + text, ""
        parts: list[Part] = []
        at = spoken = 0
        while at < len(text):
            if self._inside is not None:
                spoken = at = self._within(text, at, parts)
                continue
            found = self._opening(text, at)
            if found == "" and not whole:
                self._held = text[at:]
                break
            if not found:
                self._line_start = text[at] == "\n" or (self._line_start and text[at].isspace())
                at += 1
                continue
            if text[spoken:at]:
                parts.append(text[spoken:at])
            kind, end = _EVERYWHERE[found]
            if kind == "json":
                self._json = JsonAnswer()
                return parts + _parts(self._json.push(text[at:]))
            spoken = at = at + len(found)
            if kind != "reply":
                self._inside, self._content = (kind, end), ""
        if text[spoken:at]:
            parts.append(text[spoken:at])
        return parts

    def _opening(self, text: str, at: int) -> str | None:
        """The opening that stands at `at`; "" if one may yet come to stand there; else None."""
        if text[at] not in _FIRST and (not self._line_start or text[at].isspace()):
            return None
        here = text[at : at + _LONGEST].lower()
        for opening in _EVERYWHERE if self._line_start else _ANYWHERE:
            if here.startswith(opening):
                return opening
        openings = _EVERYWHERE if self._line_start else _ANYWHERE
        # Only at the end of what came can there be too little of it.
        short = len(text) - at < _LONGEST
        return "" if short and any(opening.startswith(here) for opening in openings) else None

    def _within(self, text: str, at: int, parts: list[Part]) -> int:
        """Read on within a mark. Returns where it is left."""
        assert self._inside is not None
        kind, end = self._inside
        ends = [found for mark in (end, "\n") if mark and (found := text.find(mark, at)) >= 0]
        if not ends:
            self._content += text[at:]
            if kind == "emotion" and len(self._content) > _MAX_EMOTION_CHARS:
                parts += self._closed()
            return len(text)
        self._content += text[at : min(ends)]
        parts += self._closed()
        # A bracket belongs to the mark; a tag or a line break is looked at for itself.
        return min(ends) + (text[min(ends)] in "])")

    def _closed(self) -> list[Part]:
        kind = self._inside[0] if self._inside else ""
        content, self._inside, self._content = self._content, None, ""
        told = content.strip(" \t\"'*:.")
        if kind == "emotion":
            if told.lower() in NAMES:
                return [Emotion(told.lower())]
            return [content] if len(content) > _MAX_EMOTION_CHARS else []
        if told.lower() in _NOTHING:
            return []
        return [MemoryNote(" ".join(content.strip(" \t\"'*:").split())[:MAX_NOTE_CHARS])]


def _parts(read: list[Heard | Part]) -> list[Part]:
    return [part for part in read if not isinstance(part, Heard)]
