"""Fixed lines as they were once spoken, on disk: they cost no time and no quota any more.

Fillers have to be there before the voice could make them, and failure lines have to be heard when
the voice itself is what fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import wave
from contextlib import aclosing
from pathlib import Path

import numpy as np
import structlog

from relay.audio import Pcm
from relay.files import replacing
from relay.tts.base import TextToSpeech
from relay.tts.cache import ClauseCache

#: A line is a sentence or two; a voice that makes more of it has gone wrong.
LONGEST_S = 30.0

_SUFFIX = ".wav"
_log = structlog.get_logger(__name__)


class RecordedLines:
    """One voice's recordings: a file for each line, named by a digest of all that makes it differ.

    All voices share the directory and its `limit` in bytes; what was used longest ago goes first.
    """

    def __init__(
        self,
        directory: Path,
        voice: str,
        rate_hz: int,
        *,
        limit: int = 64 << 20,
        recent: ClauseCache | None = None,
    ) -> None:
        """`voice` tells engine, version and voice apart; `rate_hz` is the rate of its speech.

        `recent` is where the lines used last are kept in memory; several voices may share it.
        """
        self.voice = voice
        self.rate_hz = rate_hz
        self._directory = directory
        self._limit = limit
        self._there: set[str] = set()
        self._recent = recent or ClauseCache(4 << 20)

    async def open(self) -> None:
        """Look what is there. Raises OSError where the directory cannot be used."""
        self._there = await asyncio.to_thread(self._scan)

    def has(self, text: str, language: str) -> bool:
        """Whether there is a recording; it may still turn out to be unusable."""
        return self._name(text, language) in self._there

    async def get(self, text: str, language: str) -> Pcm | None:
        """The recording, at `rate_hz`; None if there is none (any more)."""
        name = self._name(text, language)
        if name not in self._there:
            return None
        if (pcm := self._recent.get(name)) is None:
            pcm = await asyncio.to_thread(self._read, name)
            if pcm is None:
                self._there.discard(name)
                return None
            self._recent.put(name, pcm)
        return pcm

    async def record(self, tts: TextToSpeech, text: str, language: str, voice: str = "") -> None:
        """Let the voice speak a line and keep it. Raises ProviderError and OSError.

        Nothing is kept where `tts` finds out meanwhile that it does not have `voice`.
        """
        chunks: list[Pcm] = []
        async with aclosing(tts.speak(text, language, voice)) as speech:
            async for chunk in speech:
                chunks.append(chunk)
                if sum(map(len, chunks)) > LONGEST_S * self.rate_hz:
                    return
        pcm = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        if not pcm.any() or not tts.knows(voice):
            return
        name = self._name(text, language)
        dropped = await asyncio.to_thread(self._write, name, pcm)
        self._there.add(name)
        self._there -= dropped

    def _name(self, text: str, language: str) -> str:
        key = json.dumps([self.voice, self.rate_hz, language, text])
        return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()

    def _path(self, name: str) -> Path:
        return self._directory / (name + _SUFFIX)

    def _scan(self) -> set[str]:
        self._directory.mkdir(parents=True, exist_ok=True)
        return {path.stem for path in self._directory.glob(f"*{_SUFFIX}")}

    def _read(self, name: str) -> Pcm | None:
        path = self._path(name)
        try:
            with wave.open(str(path), "rb") as file:
                form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                samples = file.getnframes()
                if form == (1, 2, self.rate_hz) and 0 < samples <= LONGEST_S * self.rate_hz:
                    pcm = np.frombuffer(file.readframes(samples), "<i2").astype(np.int16)
                    if len(pcm) == samples:
                        path.touch()  # used: it stays longer
                        return pcm
        except FileNotFoundError:
            return None
        except (OSError, EOFError, wave.Error) as error:
            _log.warning("a recorded line cannot be read", file=path.name, why=str(error))
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def _write(self, name: str, pcm: Pcm) -> set[str]:
        """Keep a recording; the names of those that had to go for it."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with replacing(self._path(name)) as path, wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(pcm.astype("<i2").tobytes())
        return self._make_room(name)

    def _make_room(self, kept: str) -> set[str]:
        files = []
        for path in self._directory.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # another process may be faster
                stat = path.stat()
                files.append((path.stem == kept, stat.st_mtime, stat.st_size, path))
        size = sum(file[2] for file in files)
        dropped = set()
        for is_kept, _, bytes_, path in sorted(files, key=lambda file: file[:2]):
            if size <= self._limit or is_kept:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            size -= bytes_
            dropped.add(path.stem)
        return dropped
