"""Finds out what exported a chat, and reads it: a file, or the archive that a phone makes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeAlias, cast

from relay.persona.learning import kakaotalk, telegram, whatsapp
from relay.persona.learning.lines import lines
from relay.persona.learning.messages import (
    MAX_MESSAGE_CHARS,
    MAX_MESSAGES,
    ExportError,
    Message,
)

#: Of a file, or of one that is unpacked. A chat without pictures has some megabytes.
MAX_BYTES = 2 * 1024**3

_HEAD_BYTES = 16 * 1024
_HEAD_LINES = 40

_Reader: TypeAlias = Callable[[BinaryIO], Iterator[Message]]


def read(path: Path) -> Iterator[Message]:
    """The messages of an export, oldest first as it has them. Raises ExportError."""
    try:
        with _opened(path) as file:
            reader = _reader(file.read(_HEAD_BYTES), path)
        with _opened(path) as file:
            messages = reader(cast("BinaryIO", _Limited(file)))
            for message in islice(messages, MAX_MESSAGES):
                text = message.text[:MAX_MESSAGE_CHARS]
                yield Message(message.who, text, message.day, message.minute)
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ExportError(f"{path} is a damaged archive: {error}.") from None
    except RuntimeError as error:  # so zipfile says that it wants a password
        raise ExportError(f"{path} cannot be unpacked: {error}.") from None


def _reader(head: bytes, path: Path) -> _Reader:
    first = list(islice(lines(io.BytesIO(head)), _HEAD_LINES))
    if first and telegram.is_telegram("".join(first[:3])):
        return telegram.read
    if kakaotalk.is_kakaotalk(first):
        return lambda file: kakaotalk.read(lines(file))
    if whatsapp.is_whatsapp(first):
        return lambda file: whatsapp.read(lines(file))
    raise ExportError(
        f"{path} is no export that is known here: Telegram's result.json, KakaoTalk's .txt or "
        ".csv, WhatsApp's _chat.txt or its .zip."
    )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file itself, or the one chat in a zip."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        chats = [
            info
            for info in archive.infolist()
            if PurePosixPath(info.filename).suffix.lower() in (".txt", ".json", ".csv")
        ]
        if len(chats) != 1:
            raise ExportError(
                f"{path} holds {len(chats)} chats; unpack it and name the file that is meant."
            )
        with archive.open(chats[0]) as member:
            yield cast("BinaryIO", member)


class _Limited:
    """A file that ends with an error where it is larger than any chat."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ExportError(f"This file has over {MAX_BYTES >> 30} GiB; that is no chat.")
        return data
