"""Cuts a language model's text into clauses that can be spoken, as soon as each is complete."""

from __future__ import annotations

from dataclasses import dataclass

from relay.turn.breaks import ADDRESS_CHARS, COMMAS, best_break, inside
from relay.turn.speakable import speakable
from relay.turn.stops import (
    CLOSERS,
    MARKS,
    MARKS_AND_CLOSERS,
    STOPS,
    Verdict,
    is_certain,
    is_cjk,
    judge,
)

_FENCE = "```"

#: What is kept of a block of code, which is one clause however long it is.
_CODE_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of an answer that is spoken in one breath."""

    text: str  #: as written, white space squeezed (but not in code): for subtitles and memory
    speech: str  #: what the voice says, never empty


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths in characters, by which clauses are cut."""

    first_min: int  #: the first clause may end at a comma from here
    first_max: int  #: the first clause is cut at the best place before this
    least: int  #: a shorter sentence is spoken together with the next; the first one is not
    most: int  #: a clause is cut at the best place before this

    @classmethod
    def of(cls, language: str) -> Lengths:
        """Lengths that suit a language: a character is a syllable in Korean, a letter in English.

        `first_max` is about 4 s of speech and `most` about 7 s: a voice that makes speech a little
        faster than it is spoken has the next clause ready when this one ends.
        """
        if language.lower()[:2] in ("ko", "ja", "zh"):
            return cls(first_min=6, first_max=28, least=8, most=48)
        return cls(first_min=14, first_max=60, least=16, most=110)


class ClauseSplitter:
    """Takes the pieces of one answer, of any length, and gives out its clauses.

    What ends a clause, and what it waits for:

    - `.` waits for the next character: in "3.14" and "example.com" it ends nothing. Before a space
      it is an end, but for enumerators ("1. first"), initials and abbreviations. Behind a number
      ("No. 5", "2026. 11. 23.") and what may end a sentence or not ("5 p.m.") it waits for the
      character behind the space as well. So does any stop before a closing quote ("정말?" 하고).
    - `?`, `!`, their full-width forms and `。` wait for the next character, since more marks or a
      closing quote may belong to them; so do `…`, and before a space `~` and laughs (ㅋㅋ).
    - A new line waits for nothing. A block of code (```) is one clause, given out where it closes.
    - The very first clause may also end at a comma, from `first_min_chars`, and is cut at the best
      place once it is longer than `first_max_chars`: so the voice starts early.
    - Any clause is cut at the best place once it is longer than `max_chars`, so no more than that
      is ever held back (but an address is not cut before 400, and of code 4000 are kept).
    - Sentences shorter than `min_chars` are spoken with the next one. What has nothing to speak
      (an emoji, a rule) goes with the next clause, and at the very end of an answer is dropped.
    - Nothing ends inside of brackets, a quote, `*…*` or `` `…` ``, but for lines and `max_chars`.

    Clauses do not depend on how the text was cut into pieces, with one exception for the sake of
    speed: models behind a network send large pieces, with long waits between them. If a piece of
    two words or more ends with a stop that is certain (`stops.is_certain`: a full stop behind a
    Hangul syllable is), the clause is given out at once. Should more stops follow after all
    ("정말." + ".."), they are dropped.
    """

    def __init__(
        self,
        language: str,
        *,
        first_min_chars: int | None = None,
        first_max_chars: int | None = None,
        min_chars: int | None = None,
        max_chars: int | None = None,
    ) -> None:
        usual = Lengths.of(language)
        self._language = language
        self._most = max(2, usual.most if max_chars is None else max_chars)
        self._least = min(usual.least if min_chars is None else min_chars, self._most)
        first_max = usual.first_max if first_max_chars is None else first_max_chars
        self._first_max = min(first_max, self._most)
        self._first_min = usual.first_min if first_min_chars is None else first_min_chars
        self._start()

    def push(self, piece: str) -> list[Clause]:
        """Take the next piece; give out the clauses that are complete now."""
        clauses: list[Clause] = []
        for char in piece:
            self._take(char, clauses)
        if len(piece.split(maxsplit=1)) > 1:
            self._end_if_certain(clauses)
        return clauses

    def flush(self) -> list[Clause]:
        """The answer is complete: give out the rest. The next piece begins another answer."""
        rest = self._clause(self._text) if self._code is None else self._code_clause()
        self._start()
        return [] if rest is None else [rest]

    def _start(self) -> None:
        self._first = True
        self._code: str | None = None  # the block of code that is open
        self._code_tail = ""  # its last characters, which close it if they are a fence
        self._after_certain_end = False
        self._begin()

    def _begin(self) -> None:
        self._text = ""  # of the clause that is open
        self._mark = self._mark_end = 0  # the run of marks that may end it; none if 0, 0

    def _take(self, char: str, clauses: list[Clause]) -> None:
        if self._code is not None:
            self._take_code(char, clauses)
            return
        if self._after_certain_end:
            if char in STOPS:
                return
            self._after_certain_end = False
        if char.isspace():
            char = "\n" if char.splitlines() == [""] else " "
            if not self._text or self._text[-1] == "\n":
                return
            if self._text[-1] == " ":
                if char == " ":
                    return
                self._text = self._text[:-1]
        elif "\ud800" <= char <= "\udfff":
            return  # half a character: it cannot be sent, shown or spoken
        self._text += char
        if self._text.endswith(_FENCE):
            self._open_code(clauses)
        elif not self._end_at_marks(char, clauses) and not self._end_softly(char, clauses):
            self._bound(char, clauses)

    def _end_at_marks(self, char: str, clauses: list[Clause]) -> bool:
        """Follow a run of marks, and end the clause behind it if it ends one."""
        text = self._text
        if self._mark_end == len(text) - 1 and self._mark_end and char in MARKS_AND_CLOSERS:
            self._mark_end += 1
        elif self._mark_end:
            end = self._mark_end
            verdict = judge(text[: self._mark], text[self._mark : end], text[end:])
            if verdict is Verdict.WAIT:
                return False
            self._mark = self._mark_end = 0
            if verdict is Verdict.END and not inside(text[:end])[-1]:
                return self._end(end, clauses)
        elif char in MARKS and len(text) > 1:
            self._mark, self._mark_end = len(text) - 1, len(text)
        return False

    def _end_softly(self, char: str, clauses: list[Clause]) -> bool:
        """End at a new line, and the first clause at a comma."""
        if char == "\n":
            return self._end(len(self._text), clauses)
        place = len(self._text) - 1
        if not self._first or place < max(self._first_min, 1):
            return False
        comma = self._text[place - 1]
        if comma not in COMMAS or char in CLOSERS or (comma in ",;" and char != " "):
            return False
        return not inside(self._text[:place])[-1] and self._end(place, clauses)

    def _bound(self, char: str, clauses: list[Clause]) -> None:
        """Cut the clause where it is too long."""
        size = len(self._text)
        if size > self._most:
            # Past the first try, an address is growing: it offers no new place until it ends.
            if size == self._most + 1 or char.isspace() or size >= ADDRESS_CHARS:
                place = best_break(self._text, self._most // 2, self._most, forced=True)
                if place is not None:
                    self._end(place, clauses, forced=True)
        elif self._first and size > self._first_max and (char.isspace() or is_cjk(char)):
            place = best_break(self._text, self._first_min, self._first_max, forced=False)
            if place is not None:
                self._end(place, clauses)

    def _end(self, place: int, clauses: list[Clause], *, forced: bool = False) -> bool:
        """Give out the clause up to `place`, if that is worth a breath, and take the rest again."""
        head, rest = self._text[:place], self._text[place:]
        if not forced and not self._first and len(head.strip()) < self._least:
            return False
        clause = self._clause(head)
        if clause is None and not forced:
            return False
        if clause is not None:
            clauses.append(clause)
            self._first = False
        self._begin()
        for char in rest:
            self._take(char, clauses)
        return True

    def _end_if_certain(self, clauses: list[Clause]) -> None:
        if not self._mark_end or self._mark_end != len(self._text):
            return
        before, marks = self._text[: self._mark], self._text[self._mark :]
        if is_certain(before, marks) and not inside(self._text)[-1]:
            self._after_certain_end = self._end(len(self._text), clauses)

    def _open_code(self, clauses: list[Clause]) -> None:
        before = self._clause(self._text.removesuffix(_FENCE))
        if before is not None:
            clauses.append(before)
        self._code = self._text if before is None else _FENCE
        self._begin()

    def _take_code(self, char: str, clauses: list[Clause]) -> None:
        assert self._code is not None
        if len(self._code) < _CODE_CHARS:
            self._code += char
        self._code_tail = (self._code_tail + char)[-len(_FENCE) :]
        if self._code_tail == _FENCE:
            clauses.append(self._code_clause())
            self._first, self._code, self._code_tail = False, None, ""

    def _code_clause(self) -> Clause:
        assert self._code is not None
        text = self._code.strip()
        if len(self._code) >= _CODE_CHARS and not text.endswith(_FENCE):
            text += f"…\n{_FENCE}"
        return Clause(text, speakable(_FENCE * 2, self._language))

    def _clause(self, text: str) -> Clause | None:
        speech = speakable(text, self._language)
        return Clause(" ".join(text.split()), speech) if speech else None
