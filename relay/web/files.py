"""The files of a page: read once, sent as they are, and only those that are there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

#: Asked for each time, so that a page is never older than its relay; unchanged costs a 304.
HEADERS = {"Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    body: bytes
    type: str
    etag: str


def read(folder: Path) -> dict[str, File]:
    """All files of a page by their path in its folder."""
    return {
        path.relative_to(folder).as_posix(): File(
            body := path.read_bytes(), kind, f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        )
        for path in sorted(folder.rglob("*"))
        if (kind := _TYPES.get(path.suffix))
    }


def answer(request: Request, found: File | None) -> Response:
    """A file, or that the browser has it already, or that there is none."""
    if found is None:
        return Response("There is no such file.", 404, HEADERS, "text/plain")
    headers = {**HEADERS, "ETag": found.etag}
    if request.headers.get("if-none-match", "")[:256].removeprefix("W/") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=found.type)
