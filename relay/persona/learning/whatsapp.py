"""WhatsApp's export `_chat.txt`: iOS and Android, with the dates of many countries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from relay.persona.learning.messages import MAX_NAME_CHARS, Message, minute_of

_DAY = r"(?P<day>\d{1,4}[./-] ?\d{1,2}[./-] ?\d{2,4}\.?)"
_HALF = r"오전|오후|[AaPp]\. ?[Mm]\.|[AaPp][Mm]"
_CLOCK = (
    rf"(?:(?P<before>{_HALF}) ?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.]\d{{2}})?"
    rf"(?: ?(?P<after>{_HALF}))?"
)
_STAMP = rf"{_DAY},?(?: (?:klo|um|à|at|kl\.))? {_CLOCK}"
_REST = rf"(?:(?P<who>[^:]{{1,{MAX_NAME_CHARS}}}): (?P<text>.*)|(?P<event>.*))"

#: iOS: [23/11/2026, 21:07:15] Jinju: hi    Android: 11/23/26, 9:07 PM - Jinju: hi
_LINE = re.compile(rf"(?:\[{_STAMP}\]|{_STAMP.replace('?P<', '?P<a_')} [-–]) {_REST}")

#: What stands for something that is no text.
_NO_TEXT = re.compile(
    r"<[^<>]{3,60}(?:omitted|제외[^<>]*|생략[^<>]*|weggelassen|omitido|omis|utelatt|省略|省略されました)[^<>]*>"
    r"|<attached: [^<>]{1,120}>|<첨부[^<>]{1,120}>|.{1,120}\((?:file attached|파일 첨부됨?)\)"
    r"|(?:image|video|audio|sticker|GIF|document|Contact card) omitted"
    r"|(?:이미지|사진|동영상|비디오|오디오|음성|스티커|문서|GIF).{0,12}(?:생략|제외).{0,12}"
    r"|(?:This message was deleted|You deleted this message)\.?"
    r"|(?:이 )?메시지(?:를|가) ?삭제.{0,12}"
    r"|(?:Missed )?(?:voice|video) call.*|(?:부재중 )?(?:음성|영상) 통화.*|null"
    r"|(?:Live )?[Ll]ocation: .*|위치: .*|POLL:.*",
    re.DOTALL,
)
_EDITED = re.compile(r" ?<(?:This message was edited|메시지를? ?(?:편집|수정)[^<>]{0,20})>\Z")
_ENCRYPTION = re.compile(r"end-to-end encrypted|종단간 암호화|종단 간 암호화")


def is_whatsapp(head: list[str]) -> bool:
    """By the first lines of a file."""
    return any(_LINE.fullmatch(line) for line in head)


def read(lines: Iterable[str]) -> Iterator[Message]:
    """Read the lines of an export."""
    who = text = day = ""
    minute: int | None = None
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            if who and len(text) < 4_000:
                text = f"{text}\n{line}"
            continue
        yield from _message(who, text, day, minute)
        at = {key: found[key] or found[f"a_{key}"] for key in ("day", "hour", "minute")}
        half = next(
            (found[key] for key in ("before", "after", "a_before", "a_after") if found[key]), ""
        )
        day, minute = at["day"], minute_of(int(at["hour"]), int(at["minute"]), half)
        who, text = (found["who"] or "").strip(), found["text"] or ""
    yield from _message(who, text, day, minute)


def _message(who: str, text: str, day: str, minute: int | None) -> Iterator[Message]:
    text = _EDITED.sub("", text.strip())
    if who and text and not _NO_TEXT.fullmatch(text) and not _ENCRYPTION.search(text):
        yield Message(who.removeprefix("~").strip(), text, day, minute)
