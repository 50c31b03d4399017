"""The recordings on disk. Blocks: call it in a thread.

    DATA/recordings/DEVICE/20261123T094501123Z/{question.wav, answer.wav, turn.json}

DEVICE is the doll's id with all but letters, digits, - and _ as %XX. Files and folders are for
their owner only. A folder is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from relay import wav
from relay.audio import RATE_HZ
from relay.recorder.settings import RecorderSettings
from relay.recorder.tape import Recording

if TYPE_CHECKING:
    from relay.config import Settings

FOLDER = "recordings"

#: The sounds of a turn: what was said, and what was answered.
SOUNDS = ("question", "answer")

_PARTIAL = ".partial"
_MOMENT = "%Y%m%dT%H%M%S%f"
_ID = re.compile(r"\d{8}T\d{9}Z")
_DAY_S = 86_400
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One turn on disk."""

    folder: Path
    device_id: str
    at: float  #: Unix time
    size: int  #: bytes

    @property
    def id(self) -> str:
        """Its moment; no other turn of this doll has the same."""
        return self.folder.name

    def sound(self, name: str) -> Path | None:
        """The file of one of `SOUNDS`, if the turn has that."""
        path = self.folder / f"{name}.wav"
        return path if name in SOUNDS and path.is_file() else None

    def about(self) -> dict[str, Any]:
        """What `turn.json` holds; empty if it cannot be read any more."""
        try:
            found = json.loads((self.folder / "turn.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


class Recordings:
    """The folder of all recordings. May raise OSError."""

    def __init__(self, folder: Path, settings: RecorderSettings) -> None:
        self._folder = folder
        self._settings = settings

    @classmethod
    def of(cls, settings: Settings) -> Recordings:
        """Those of a relay."""
        return cls(settings.relay.data / FOLDER, settings.recorder)

    def save(self, recording: Recording) -> Path:
        """Write one, and make room for it first; where it is."""
        files = _files(recording)
        self._make_room(sum(map(len, files.values())))
        home = self._folder / _name(recording.device_id)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        partial = Path(tempfile.mkdtemp(suffix=_PARTIAL, dir=home))
        try:
            for name, data in files.items():
                handle = os.open(partial / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
            moment = datetime.fromtimestamp(recording.at, UTC).strftime(_MOMENT)[:-3] + "Z"
            return partial.rename(home / moment)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def list(self, device_id: str | None = None) -> list[Kept]:
        """All of them, or those of one doll, the oldest first."""
        found = []
        for folder in self._folder.glob("*/*" if device_id is None else f"{_name(device_id)}/*"):
            try:
                moment = datetime.strptime(folder.name, _MOMENT + "Z").replace(tzinfo=UTC)
                size = sum(file.stat().st_size for file in folder.iterdir())
            except (ValueError, FileNotFoundError, NotADirectoryError):
                continue  # not ours, or another process has just deleted it
            found.append(Kept(folder, unquote(folder.parent.name), moment.timestamp(), size))
        return sorted(found, key=lambda kept: kept.at)

    def find(self, device_id: str, moment: str) -> Kept | None:
        """One turn of a doll, by its id."""
        if not _ID.fullmatch(moment):
            return None
        return next((kept for kept in self.list(device_id) if kept.id == moment), None)

    def drop(self, folder: Path) -> None:
        """Delete one turn."""
        shutil.rmtree(folder, ignore_errors=True)

    def delete(self, device_id: str) -> int:
        """Delete those of one doll; how many there were."""
        home = self._folder / _name(device_id)
        count = len(self.list(device_id))
        if home.is_dir():
            shutil.rmtree(home)
        return count

    def expire(self, now: float) -> int:
        """Delete what is too old, and what was never finished; how many turns."""
        gone = 0
        for kept in self.list():
            if kept.at < now - self._settings.days * _DAY_S:
                shutil.rmtree(kept.folder, ignore_errors=True)
                gone += 1
        for partial in self._folder.glob(f"*/*{_PARTIAL}"):
            if partial.stat().st_mtime < now - _DAY_S:
                shutil.rmtree(partial, ignore_errors=True)
        return gone

    def _make_room(self, size: int) -> None:
        kept = self.list()
        total = sum(item.size for item in kept) + size
        for item in kept:
            if total <= self._settings.max_mb * _MB:
                return
            shutil.rmtree(item.folder, ignore_errors=True)
            total -= item.size


def _files(recording: Recording) -> dict[str, bytes]:
    about = {
        "at": datetime.fromtimestamp(recording.at, UTC).isoformat(timespec="milliseconds"),
        "device": recording.device_id,
        "transcript": recording.transcript,
        "subtitles": recording.subtitles,
        "since_speech_end_ms": recording.timeline_ms,
    }
    files = {"turn.json": json.dumps(about, ensure_ascii=False, indent=1).encode()}
    if recording.question is not None:
        files["question.wav"] = wav.encode(recording.question, RATE_HZ)
    if recording.answer:
        files["answer.wav"] = wav.encode(np.concatenate(recording.answer), recording.rate_hz)
    return files


def _name(device_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"%{ord(found[0]):02X}", device_id)
