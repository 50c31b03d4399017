"""Every format, country and phone, with the same chat in each."""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.persona.learning import formats
from relay.persona.learning.formats import read
from relay.persona.learning.messages import MAX_MESSAGE_CHARS, ExportError, Message

EXPORTS = Path(__file__).parent / "exports"

Chat = list[tuple[str, str, int]]


def told(path: Path) -> list[tuple[str, str, int | None]]:
    return [(message.who, message.text, message.minute) for message in read(path)]


@pytest.mark.parametrize("path", sorted(EXPORTS.iterdir()), ids=lambda path: path.name)
def test_each_export_has_the_same_chat_and_nothing_else(path: Path, chat: Chat) -> None:
    assert told(path) == chat
    days = [message.day for message in read(path)]
    assert days == [days[0]] * 4 + [days[4]] * 2
    assert days[0] != days[4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_is_read_however_windows_wrote_it(
    tmp_path: Path, chat: Chat, encoding: str, end: str
) -> None:
    text = (EXPORTS / "kakaotalk-windows-ko.txt").read_text(encoding="utf-8")
    path = tmp_path / "chat.txt"
    path.write_bytes(text.replace("\n", end).encode(encoding))
    assert told(path) == chat


def test_json_with_a_byte_order_mark_is_read(tmp_path: Path, chat: Chat) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"\xef\xbb\xbf" + (EXPORTS / "telegram-chat.json").read_bytes())
    assert told(path) == chat


def test_the_archive_that_a_phone_makes_is_read(tmp_path: Path, chat: Chat) -> None:
    path = tmp_path / "WhatsApp Chat.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(EXPORTS / "whatsapp-ios-uk.txt", "_chat.txt")
        archive.writestr("IMG-1.jpg", b"\xff\xd8")
    assert told(path) == chat
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(ExportError, match="holds 2 chats"):
        told(path)


def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    with pytest.raises(ExportError, match="cannot be read"):
        told(path)
    for content in (b"", b"Dear diary,\nnothing happened.\n", b"\x00\x01\x02" * 100, b"\xff" * 50):
        path.write_bytes(content)
        with pytest.raises(ExportError):
            told(path)
    for content in ('{"messages": [{"type": "mess', '{"messages": [}', '{"a":' * 100):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ExportError):
            told(path)


def test_an_archive_may_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "chat.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", "[23/11/2026, 21:07:15] a: b\n" * 10_000)
    data = bytearray(path.read_bytes())
    data[60:80] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(ExportError):
        told(path)


def test_a_file_beyond_all_measure_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 100_000)
    path = tmp_path / "chat.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", "[23/11/2026, 21:07:15] a: b\n" * 100_000)
    with pytest.raises(ExportError, match="no chat"):
        told(path)


def test_json_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"messages": [{"type": "message", "text": "x" * 5_000_000}]}))
    with pytest.raises(ExportError, match="megabytes"):
        told(path)
    path.write_text('{"messages": [{"type": "message", "text": ' + "[" * 40 + "]" * 40 + "}]}")
    with pytest.raises(ExportError, match="nested too deeply"):
        told(path)


def test_a_message_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    head = "[진주] [오후 9:07] 나 왔어\n[차차] [오후 9:08] "
    path.write_text(head + "가" * 300_000 + "\n" + "나\n" * 50_000, encoding="utf-8")
    messages = list(read(path))
    assert len(messages) == 2
    assert len(messages[1].text) == MAX_MESSAGE_CHARS


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_are_messages_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    heads = [
        "",
        "[진주] [오후 9:07] 나\n",
        "11/23/26, 9:07 PM - a: b\n",
        '{"messages": [',
        "PK\3\4",
    ]
    for head in (*heads, "Date,User,Message\n"):
        path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.txt"
        path.write_bytes(head.encode() + data)
        with suppress(ExportError):
            assert all(isinstance(message, Message) for message in read(path))


_names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
_texts = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="<>"), min_size=1
)
_times = st.tuples(st.integers(1, 28), st.integers(0, 23), st.integers(0, 59))
_chats = st.lists(st.tuples(_names, _texts, _times), min_size=1, max_size=8)


@given(_chats)
def test_what_telegram_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, chat: list[tuple[str, str, tuple[int, int, int]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"telegram-{os.getpid()}.json"
    messages = [
        {"type": "message", "from": w, "text": t, "date": f"2026-11-{d:02}T{h:02}:{m:02}:00"}
        for w, t, (d, h, m) in chat
    ]
    path.write_text(json.dumps({"messages": messages}), encoding="utf-8")
    assert told(path) == [(w, t, h * 60 + m) for w, t, (_, h, m) in chat]


_WRITTEN = {
    "[{w}] [{half} {h12}:{m:02}] {t}": "kakaotalk",
    "2026년 11월 {d}일 {half} {h12}:{m:02}, {w} : {t}": "kakaotalk",
    "2026. 11. {d}. {h:02}:{m:02}, {w} : {t}": "kakaotalk",
    "11/{d}/26, {h12}:{m:02} {en} - {w}: {t}": "whatsapp",
    "[{d:02}.11.26, {h:02}:{m:02}:15] {w}: {t}": "whatsapp",
}


@pytest.mark.parametrize("form", _WRITTEN)
@given(chat=_chats)
def test_what_phones_write_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    form: str,
    chat: list[tuple[str, str, tuple[int, int, int]]],
) -> None:
    chat = [(w, f"말 {t} 끝", at) for w, t, at in chat]  # so that none is a word for a picture
    path = tmp_path_factory.getbasetemp() / f"phone-{os.getpid()}.txt"
    written = [
        form.format(
            w=w, t=t, d=d, h=h, m=m, h12=h % 12 or 12,
            half="오전" if h < 12 else "오후", en="AM" if h < 12 else "PM",
        )
        for w, t, (d, h, m) in chat
    ]  # fmt: skip
    path.write_text("\n".join(written) + "\n", encoding="utf-8")
    assert told(path) == [(w, t, h * 60 + m) for w, t, (_, h, m) in chat]
