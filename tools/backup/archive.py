"""Writes an archive of a data folder while the relay goes on: consistent, and with digests.

A gzipped tar. Each SQLite file is copied by SQLite's own backup, which sees one moment of it, the
write-ahead log included; other files go in as they are. The last member, `MANIFEST`, holds the
SHA-256 and the size of every file, so an archive that was cut off is known for one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tools.backup.errors import BackupError

MANIFEST = "MANIFEST.json"
FORMAT = 1

_SQLITE = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")  # of an SQLite file: what they hold is in its copy
_BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive; `path` is relative to the data folder, with slashes."""

    path: str
    sha256: str
    size: int


def back_up(data: Path, archive: Path) -> list[Entry]:
    """Write all of `data` into the new file `archive`, readable by its owner alone.

    It appears under its name when it is whole. Raises BackupError.
    """
    if not data.is_dir():
        raise BackupError("no_data", path=data)
    if archive.exists():
        raise BackupError("archive_exists", path=archive)
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=archive.parent) as work:
            partial = Path(work) / "archive"
            with os.fdopen(
                os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb"
            ) as out:
                entries = _write(data, out, Path(work) / "copy")
                out.flush()
                os.fsync(out.fileno())
            os.link(partial, archive)  # fails where somebody else was faster
    except FileExistsError:
        raise BackupError("archive_exists", path=archive) from None
    except sqlite3.Error as error:
        raise BackupError("database", detail=str(error)) from None
    except OSError as error:
        raise BackupError("write", path=archive, detail=error.strerror) from None
    return entries


def _write(data: Path, out: io.BufferedWriter, copy: Path) -> list[Entry]:
    entries = []
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(_files(data)):
            name = path.relative_to(data).as_posix()
            if _is_sqlite(path):
                _copy(path, copy)
                entries.append(_add(tar, copy, name))
                copy.unlink()
            else:
                entries.append(_add(tar, path, name))
        manifest = {
            "format": FORMAT,
            "files": {entry.path: [entry.sha256, entry.size] for entry in entries},
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(text), 0o600
        tar.addfile(member, io.BytesIO(text))
    return entries


def _files(folder: Path) -> Iterator[Path]:
    """All regular files. Links are left out: they could lead anywhere."""
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from _files(path)
        elif stat.S_ISREG(mode) and not _is_beside(path):
            yield path


def _is_beside(path: Path) -> bool:
    for ending in _BESIDE:
        if path.name.endswith(ending):
            base = path.with_name(path.name.removesuffix(ending))
            return base.is_file() and _is_sqlite(base)
    return False


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy(path: Path, copy: Path) -> None:
    source = sqlite3.connect(path, timeout=_BUSY_S)
    target = sqlite3.connect(copy)
    with closing(source), closing(target):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
    copy.chmod(stat.S_IMODE(path.stat().st_mode))


def _add(tar: tarfile.TarFile, path: Path, name: str) -> Entry:
    """Add a file as long as it is now; a recording may grow meanwhile."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o700
        member.mtime = int(os.fstat(file.fileno()).st_mtime)
        hashed = Hashed(file)
        tar.addfile(member, hashed)
    return Entry(name, hashed.digest(), size)


class Hashed(io.RawIOBase):
    """A file that is read once and hashed on the way."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._running = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self._running.update(block)
        return block

    def digest(self) -> str:
        """SHA-256 of all that was read, in hex."""
        return self._running.hexdigest()
