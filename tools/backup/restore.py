"""Puts an archive back in place of a data folder: all of it, checked, or nothing.

An archive may come from anywhere, so nothing in it decides where a file goes: plain names inside
the folder, plain files, as many and as large as the limits say.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
import tempfile
import time
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from tools.backup.archive import FORMAT, MANIFEST
from tools.backup.errors import BackupError

MAX_FILES = 100_000
MAX_BYTES = 64 << 30  #: unpacked
_MAX_MANIFEST = 32 << 20
_BLOCK = 1 << 20


def restore(archive: Path, data: Path, *, force: bool = False) -> Path | None:
    """Unpack `archive` as `data`; where the folder went that was there, if one was.

    The relay must not run. Without `force` a folder with anything in it is left alone. Raises
    BackupError, and then `data` is as it was.
    """
    occupied = data.exists() and (not data.is_dir() or any(data.iterdir()))
    if occupied and not force:
        raise BackupError("occupied", path=data)
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data.parent) as work:
            fresh = Path(work) / "data"
            fresh.mkdir(mode=0o700)
            _unpack(archive, fresh)
            aside = None
            if occupied:
                aside = data.with_name(f"{data.name}.before-{time.time_ns()}")
                data.rename(aside)
            fresh.rename(data)
            return aside
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError):
        raise BackupError("damaged", path=archive) from None
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise BackupError("read", path=error.filename or archive, detail=detail) from None


def _unpack(archive: Path, folder: Path) -> None:
    """Write what is in the archive, and compare it with its manifest."""
    found: dict[str, list[str | int]] = {}
    manifest: object = None
    total = 0
    with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        for member in tar:
            total += member.size
            if manifest is not None or len(found) >= MAX_FILES or total > MAX_BYTES:
                raise ValueError
            source = tar.extractfile(member) if member.isreg() else None
            if source is None:
                raise ValueError
            if member.name == MANIFEST:
                if member.size > _MAX_MANIFEST:
                    raise ValueError
                manifest = json.loads(source.read())
                continue
            if member.name in found:
                raise ValueError
            path = _inside(folder, member.name)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = 0o600 | (member.mode & 0o100)
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as out:
                found[member.name] = [_copied(source, out), member.size]
            os.utime(path, (member.mtime, member.mtime))
    if manifest != {"format": FORMAT, "files": found}:
        raise ValueError


def _inside(folder: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in name:
        raise ValueError
    return folder.joinpath(*pure.parts)


def _copied(source: IO[bytes], out: IO[bytes]) -> str:
    running = hashlib.sha256()
    while block := source.read(_BLOCK):
        running.update(block)
        out.write(block)
    return running.hexdigest()


def prune(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest `keep` archives that `doll backup` has named; which ones went."""
    gone = sorted(folder.glob("doll-*.tar.gz"), reverse=True)[keep:]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone
