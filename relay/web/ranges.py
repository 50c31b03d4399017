"""Files that a player asks for in parts (RFC 9110, section 14): one range, or all of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

#: A longer header is no range that a player asks for.
_MAX_HEADER_CHARS: Final = 64

_PIECE: Final = 1 << 16

_ONE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))", re.ASCII)


class UnsatisfiableError(ValueError):
    """The range begins behind the end."""


def one_range(header: str, size: int) -> tuple[int, int] | None:
    """The first byte that is wanted and the one after the last; None: all of it.

    What is no range, and several of them, ask for all: a server may ignore the header. Raises
    UnsatisfiableError.
    """
    found = _ONE.fullmatch(header.strip()) if len(header) <= _MAX_HEADER_CHARS else None
    if found is None:
        return None
    first, last, tail = found.groups()
    if tail is not None:
        start, end = max(0, size - int(tail)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableError
    return start, end


async def file_answer(request: Request, path: Path, media_type: str) -> Response:
    """A file, or the part of it that is asked for. Raises OSError."""
    size = (await asyncio.to_thread(path.stat)).st_size
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    try:
        part = one_range(request.headers.get("range", ""), size)
    except UnsatisfiableError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        _pieces(path, start, end),
        status_code=200 if part is None else 206,
        headers=headers,
        media_type=media_type,
    )


async def _pieces(path: Path, start: int, end: int) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, start)
        while start < end:
            piece = await asyncio.to_thread(file.read, min(_PIECE, end - start))
            if not piece:
                return
            start += len(piece)
            yield piece
    finally:
        file.close()
