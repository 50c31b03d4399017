"""The camera of one doll in one session: by which token it may show a photo, and when.

Sans-I/O. A stock board is told an address and a token in `initialize`. When it is asked for a photo
it posts that there, and what comes back to it is the result of its tool.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from relay.devices.tools import ToolError
from relay.errors import ErrorKind
from relay.wire.limits import TokenBucket

#: Where photos are posted to.
VISION_PATH = "/xiaozhi/vision"

MAX_BODY_BYTES = 1024 * 1024  #: of the whole form; a board's JPEG has some 20 to 100 KiB
MAX_QUESTION_CHARS = 500
MAX_ANSWER_CHARS = 400

#: Photos of one session (a second, at once).
PHOTOS = (0.1, 5.0)

_MAX_PARTS = 8
_MAX_HEAD_BYTES = 1024
_JPEG = b"\xff\xd8\xff"
_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?\bboundary="?([!-~]{1,70}?)"?\s*(?:;|$)', re.IGNORECASE
)
_NAME = re.compile(
    rb'^content-disposition:[^\r\n]*[;\s]name="([^"\r\n]{0,64})"', re.IGNORECASE | re.MULTILINE
)


class PhotoError(ValueError):
    """What was posted is no photo; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What a board posts."""

    question: str
    jpeg: bytes


class Sight:
    """One for a session; ends with it."""

    def __init__(self, url: str) -> None:
        """`url` is the address that photos are posted to, as the board reaches it."""
        self.url = url
        self.token = secrets.token_urlsafe(32)
        self.language = ""  #: of the question that a photo is to answer
        self.failure: ErrorKind | None = None  #: why the brain has not seen the newest photo
        self._is_asked = False
        self._busy = False
        self._rate: TokenBucket | None = None

    def is_token(self, token: str) -> bool:
        """Whether it is this session's; takes the same time for any."""
        return secrets.compare_digest(self.token.encode(), token.encode())

    @contextmanager
    def asked(self, language: str) -> Iterator[None]:
        """While this lasts the doll is expected to show one photo."""
        self._is_asked, self.language, self.failure = True, language, None
        try:
            yield
        finally:
            self._is_asked = False

    @property
    def waits(self) -> bool:
        """Whether a photo was asked for, and has not come yet."""
        return self._is_asked

    @contextmanager
    def looking(self, now: float) -> Iterator[bool]:
        """Take the photo that was asked for; False where it may not be looked at just now.

        That is when another one still is, or when there were too many. `now` is in seconds.
        """
        self._rate = self._rate or TokenBucket(*PHOTOS, now)
        if self._busy or not self._rate.take(1, now):
            yield False
            return
        self._busy, self._is_asked = True, False
        try:
            yield True
        finally:
            self._busy = False


def read_photo(content_type: str, body: bytes) -> Photo:
    """The `question` and the `file` of a form (RFC 7578). Raises PhotoError."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise PhotoError("The body must be multipart/form-data with a boundary.")
    # Between two boundaries, each with the line break before it, is a part: head, blank line, data.
    parts = (b"\r\n" + body).split(b"\r\n--" + found[1].encode(), _MAX_PARTS + 1)
    if len(parts) > _MAX_PARTS + 1:
        raise PhotoError(f"A form may have fewer than {_MAX_PARTS} parts.")
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise PhotoError("The form is not complete.")
    fields: dict[bytes, bytes] = {}
    for part in parts[1:-1]:
        head, blank, data = part.partition(b"\r\n\r\n")
        name = _NAME.search(head.lstrip())
        if not blank or len(head) > _MAX_HEAD_BYTES or name is None:
            raise PhotoError("A part of the form has no name.")
        fields.setdefault(name[1], data)
    if not fields.get(b"file", b"").startswith(_JPEG):
        raise PhotoError("The part `file` must be a JPEG.")
    question = " ".join(fields.get(b"question", b"").decode(errors="replace").split())
    return Photo(question[:MAX_QUESTION_CHARS], fields[b"file"])


def read_answer(result: str) -> str:
    """What the brain has said about a photo, in the result of the board's tool. Raises ToolError.

    Boards hand on the relay's JSON as it is, some of them as a JSON text in quotes.
    """
    told: object = result
    for _ in range(2):
        if isinstance(told, str):
            try:
                told = msgspec.json.decode(told)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                raise ToolError("the doll's answer is not that to a photo") from None
    text = told.get("response") if isinstance(told, dict) and told.get("success") is True else None
    if not isinstance(text, str) or not text.strip():
        raise ToolError("the photo was not seen")
    return text.strip()[:MAX_ANSWER_CHARS]
