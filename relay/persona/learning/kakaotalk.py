"""KakaoTalk's exports, in Korean and in English: Windows, Android, iOS (text) and macOS (CSV)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from relay.persona.learning.messages import MAX_NAME_CHARS, ExportError, Message, minute_of

_CLOCK = (
    r"(?:(?P<before>오전|오후|[AaPp]\.?[Mm]\.?) ?)?(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?: ?(?P<after>오전|오후|[AaPp]\.?[Mm]\.?))?"
)
_KOREAN_DAY = r"\d{4}년 \d{1,2}월 \d{1,2}일|\d{4}\. ?\d{1,2}\. ?\d{1,2}\."
_ENGLISH_DAY = r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]{2,8}\.? \d{4}"
_DAY = rf"(?P<day>{_KOREAN_DAY}|{_ENGLISH_DAY})"
_NAME = rf"(?P<who>.{{1,{MAX_NAME_CHARS}}}?)"

#: Windows: [차차] [오후 9:07] 안녕
_WINDOWS = re.compile(rf"\[{_NAME}\] \[{_CLOCK}\] (?P<text>.*)")
#: Phones: 2026년 11월 23일 오후 9:07, 차차 : 안녕 (Android); 2026. 11. 23. 오후 9:07, … (iOS)
_PHONE = re.compile(rf"{_DAY}(?:,| at)? {_CLOCK}, {_NAME} : (?P<text>.*)")
#: What happened in the room: … 오후 9:07, 차차님이 나갔습니다.
_PHONE_EVENT = re.compile(rf"{_DAY}(?:,| at)? {_CLOCK}(?:[,:].*)?")
#: Between two days: --------------- 2026년 11월 23일 월요일 ---------------
_RULE = re.compile(r"-{5,} (?P<day>[^-]{6,40}) -{5,}")
_PHONE_RULE = re.compile(
    r"\d{4}년 \d{1,2}월 \d{1,2}일 .요일|[A-Z][a-z]{5,8}, (?:[A-Z][a-z]{2,8} \d{1,2}|\d{1,2} "
    r"[A-Z][a-z]{2,8}),? \d{4}"
)
_WINDOWS_EVENT = re.compile(
    r".{1,80}(?:님이 (?:나갔습니다|들어왔습니다)|님을 (?:초대했습니다|내보냈습니다)"
    r"| (?:left|joined)(?: this chatroom)?\.| invited .{1,80}\.).{0,80}"
)
_HEAD = re.compile(
    r".{0,120}(?:님과(?:의)? 카카오톡 대화|KakaoTalk Chats with|Talk Chats?\b|저장한 날짜 ?:"
    r"|Date Saved ?:)"
)
_CSV_HEAD = re.compile(r"\"?Date\"?,\"?User\"?,\"?Message\"?\s*")

#: What stands for something that is no text.
_NO_TEXT = re.compile(
    r"(?:사진(?: \d+장)?|동영상|이모티콘|음성메시지|선착순 선물|삭제된 메시지입니다\.?"
    r"|메시지가 삭제되었습니다\.?"
    r"|<(?:사진|동영상|파일) 읽지 않음>|(?:보이스톡|페이스톡|라이브톡|그룹콜) .{0,20}"
    r"|(?:파일|지도|연락처|샵검색|투표|일정|게시물|노트|공지|송금|선물): ?.*"
    r"|.{1,60}님이 삭제한 메시지입니다\.?"
    r"|Photos?|\d+ photos|Videos?|Emoticons?|Stickers?|Voice Note|Voice message|File: .*"
    r"|(?:Voice|Video) ?[Cc]all .{0,20}|This message was deleted\.?|Message deleted\.?)"
)


def is_kakaotalk(head: list[str]) -> bool:
    """By the first lines of a file."""
    return any(
        _HEAD.match(line)
        or _CSV_HEAD.fullmatch(line)
        or _WINDOWS.fullmatch(line)
        or _PHONE.fullmatch(line)
        for line in head
    )


def read(lines: Iterable[str]) -> Iterator[Message]:
    """Read the lines of an export. Raises ExportError."""
    source = iter(lines)
    first = next(source, "")
    if _CSV_HEAD.fullmatch(first):
        return _read_csv(source)
    return _read_text(chain((first,), source))


def _read_text(lines: Iterator[str]) -> Iterator[Message]:
    day = ""
    message: Message | None = None
    for line in lines:
        found = _PHONE.fullmatch(line) or _WINDOWS.fullmatch(line)
        rule = None if found else _RULE.fullmatch(line)
        if found or rule or _is_event(line):
            if message is not None:
                yield from _text_of(message)
            message = None
        if rule:
            day = rule["day"]
        if found:
            parts = found.groupdict()
            clock = minute_of(
                int(found["hour"]), int(found["minute"]), found["before"] or found["after"] or ""
            )
            message = Message(found["who"], found["text"], parts.get("day") or day, clock)
        elif message is not None:
            message = _longer(message, line)  # a message of several lines
    if message is not None:
        yield from _text_of(message)


def _is_event(line: str) -> bool:
    return bool(
        _PHONE_EVENT.fullmatch(line)
        or _PHONE_RULE.fullmatch(line)
        or _WINDOWS_EVENT.fullmatch(line)
    )


def _longer(message: Message, line: str) -> Message:
    if len(message.text) > 4_000:
        return message
    return Message(message.who, f"{message.text}\n{line}", message.day, message.minute)


def _text_of(message: Message) -> Iterator[Message]:
    text = message.text.strip()
    if text and not _NO_TEXT.fullmatch(text):
        yield Message(message.who, text, message.day, message.minute)


def _read_csv(lines: Iterator[str]) -> Iterator[Message]:
    """macOS: 2026-11-23 21:07:15,"차차","안녕". A text may go over lines."""
    rows = csv.reader(_with_ends(lines))
    try:
        for row in rows:
            if len(row) != 3 or not row[1]:
                continue
            day, _, clock = row[0].partition(" ")
            hour, _, rest = clock.partition(":")
            known = hour.isdecimal() and rest[:2].isdecimal()
            minute = minute_of(int(hour), int(rest[:2])) if known else None
            yield from _text_of(Message(row[1][:MAX_NAME_CHARS], row[2], day, minute))
    except csv.Error as error:
        raise ExportError(f"The CSV is damaged: {error}.") from None


def _with_ends(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line + "\n"
