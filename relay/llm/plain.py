"""A plain answer, without what is not to be spoken: thoughts, a face before it, marks.

The face is the emotion; what the marks hold (`relay.llm.marks`) is the emotion and a note.
"""

from __future__ import annotations

from relay.llm.base import Part
from relay.llm.emotions import NAMES
from relay.llm.marks import Marks

#: Faces that models like better than those of the protocol.
_OTHERS = {
    "😊": "happy", "😀": "happy", "😄": "happy", "😃": "happy", "☺": "happy", "🤗": "happy",
    "😁": "laughing", "🤣": "funny", "😢": "sad", "😞": "sad", "🥺": "sad", "😟": "sad",
    "😡": "angry", "😤": "angry", "😒": "confused", "😕": "confused", "🤨": "confused",
    "🥰": "loving", "❤": "loving", "💕": "loving", "😅": "embarrassed",
    "😮": "surprised", "😯": "surprised", "😐": "neutral", "😑": "neutral", "😋": "delicious",
    "😝": "silly", "😛": "silly", "🥱": "sleepy", "🙃": "silly",
}  # fmt: skip
_FACES = {face: name for name, face in NAMES.items()} | _OTHERS

#: What may stand behind a face and belong to it: variation selectors, joiners, skin, space.
_BEHIND = " \n\t\ufe0e\ufe0f\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


_THINK, _THOUGHT = "<think>", "</think>"  # Qwen, DeepSeek and others, where the server leaves it in


class PlainAnswer:
    """An AnswerReader for text, and for whatever else a model makes of being asked for it."""

    def __init__(self) -> None:
        self._start: str | None = ""  # what came before the first word; None behind that
        self._behind_face = False
        self._marks = Marks()

    @property
    def unheard(self) -> bool:
        """See AnswerReader; plain text is always an answer."""
        return False

    def push(self, text: str) -> list[Part]:
        """See AnswerReader.push."""
        parts: list[Part] = []
        if self._start is not None:
            text = self._start = _without_thoughts(self._start + text)
            if not text or text.startswith(_THINK) or _THINK.startswith(text):
                return []
            self._start = None
            if name := _FACES.get(text[0]):
                parts += self._marks.feel(name)
                self._behind_face = True
                text = text[1:]
        if self._behind_face:
            text = text.lstrip(_BEHIND)
            self._behind_face = not text
        return [*parts, *self._marks.push(text)] if text else parts

    def finish(self) -> list[Part]:
        """See AnswerReader.finish."""
        start, self._start = self._start, None
        if start and not start.startswith(_THINK):
            return [*self._marks.push(start), *self._marks.finish()]
        return self._marks.finish()


def _without_thoughts(start: str) -> str:
    start = start.lstrip()
    if start.startswith(_THINK) and _THOUGHT in start:
        return start.partition(_THOUGHT)[2].lstrip()
    return start
