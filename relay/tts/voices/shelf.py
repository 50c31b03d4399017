"""The folder where the owner's own voices are kept: `data/voices/NAME/{sample.wav,voice.toml}`.

A voice is as private as a fingerprint: folders are for their user only (0700), files too (0600).
All that is made with a voice on this machine lies in its folder, so that removing the folder
removes everything.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from relay.tts.voices.voice import OwnVoice, VoiceError, checked_name, own_name, parse

SAMPLE: Final = "sample.wav"
DESCRIPTION: Final = "voice.toml"
CONSENT: Final = "consent.wav"  #: the speaker saying that they agree; not every voice has it
LINES: Final = "lines"  #: fixed lines that were spoken with it in advance

_PARTIAL = ".partial-"
_REMOVED = ".removed-"

#: Nobody takes this long to write two files.
_ABANDONED_S = 600.0


class VoiceShelf:
    """Voices by name. Several processes may use the same folder: the relay, and `doll voice`."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder

    @classmethod
    def of(cls, data: Path) -> VoiceShelf:
        """The one in the relay's data folder."""
        return cls(data / "voices")

    def names(self) -> list[str]:
        """All that are there, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{DESCRIPTION}"))

    def folder(self, name: str) -> Path:
        """Where a voice lies, or would lie. Raises VoiceError for what is no name."""
        return self._folder / checked_name(name)

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return (self.folder(name) / DESCRIPTION).is_file()

    def there(self, voice: str) -> str | None:
        """The name in `own:NAME`, if that voice is there; None also for what is none of them."""
        name = own_name(voice)
        try:
            return checked_name(name) if name is not None and self.has(name) else None
        except VoiceError:
            return None

    def get(self, name: str) -> OwnVoice:
        """Raises VoiceError if it is not there or cannot be read."""
        name = checked_name(name)
        try:
            return parse(name, (self._folder / name / DESCRIPTION).read_bytes())
        except FileNotFoundError:
            there = ", ".join(self.names()) or "none yet"
            raise VoiceError(f"there is no voice {name!r}; there are: {there}") from None
        except OSError as error:
            raise VoiceError(f"the voice {name!r} cannot be read: {error.strerror}") from None

    def sample(self, voice: OwnVoice) -> bytes:
        """Its recording, as a WAV file. Raises VoiceError."""
        path = self.folder(voice.name) / SAMPLE
        try:
            data = path.read_bytes()
        except OSError as error:
            raise VoiceError(f"{path} cannot be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != voice.digest:
            raise VoiceError(
                f"{path} is not the recording that was checked; "
                f"add the voice again: doll voice add {voice.name} … --replace"
            )
        return data

    def add(
        self, voice: OwnVoice, sample: bytes, consent: bytes | None = None, *, replace: bool = False
    ) -> None:
        """Keep a voice. It appears when all of it is there. Raises VoiceError and OSError.

        `sample` and `consent` are WAV files; with `replace` a voice of that name is removed first.
        """
        target = self.folder(voice.name)
        if target.exists() and not replace:
            raise VoiceError(f"there is a voice {voice.name!r} already; --replace replaces it")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        partial = self._folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        partial.mkdir(mode=0o700)
        try:
            _write(partial / SAMPLE, sample)
            if consent is not None:
                _write(partial / CONSENT, consent)
            _write(partial / DESCRIPTION, voice.toml().encode())
            if target.exists():
                self.remove(voice.name)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Delete a voice and all that was made with it. Raises VoiceError and OSError.

        It is gone for everybody at once, by one rename; what a remove before could not delete
        goes as well.
        """
        folder = self.folder(name)
        if not folder.is_dir():
            self.get(name)  # says which there are
        folder.rename(self._folder / f"{_REMOVED}{secrets.token_hex(8)}")
        self._sweep()

    def _sweep(self) -> None:
        """Delete what was removed, and what a process that died has left half done."""
        for left in self._folder.glob(f"{_REMOVED}*"):
            shutil.rmtree(left)
        for left in self._folder.glob(f"{_PARTIAL}*"):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
