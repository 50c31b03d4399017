"""Records the turns of those dolls whose owners have asked for it, and clears away the old."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.audio import Pcm
from relay.devices.registry import Registry
from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Doll, Recording, Tape

#: Recordings that wait for the disk; of more, the newest are not kept.
_MAX_WAITING = 16

_EXPIRE_S = 3_600.0

_log = structlog.get_logger(__name__)


class FlightRecorder:
    """One task for the relay. Turns do not wait for the disk."""

    def __init__(
        self, recordings: Recordings, settings: RecorderSettings, registry: Registry
    ) -> None:
        self._recordings = recordings
        self._settings = settings
        self._registry = registry
        self._waiting: deque[Recording] = deque()
        self._wake = asyncio.Event()

    def tape(self, doll: Doll, device_id: str, question: Pcm | None) -> Tape:
        """What stands between a turn and its doll."""
        recording = Recording(device_id, time.time(), question, doll.encoder.rate_hz)
        return Tape(doll, recording, self._settings.answer_s, self._keep)

    def _keep(self, recording: Recording) -> None:
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append(recording)
            self._wake.set()
        else:
            _log.warning("a turn is not recorded", why="the disk is too slow")

    async def run(self) -> None:
        """Write and clear away, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            group.create_task(self._expire())

    async def _write(self) -> None:
        while True:
            while self._waiting:
                recording = self._waiting[0]
                try:
                    folder = await asyncio.to_thread(self._recordings.save, recording)
                    await self._check(recording, folder)
                except OSError as error:
                    why = error.strerror or type(error).__name__
                    _log.error("a turn is not recorded", device=recording.device_id, why=why)
                self._waiting.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def _check(self, recording: Recording, folder: Path) -> None:
        """Keep what was written only if its doll is still there, and nothing was forgotten since.

        Asked afterwards: an owner who deletes a doll or its memory removes it from the database
        first and then looks for its recordings, so one of the two sees the other.
        """
        try:
            record = await self._registry.known(recording.device_id)
        except (SQLAlchemyError, OSError) as error:
            _log.error("database", why=type(error).__name__)
            record = None
        if record is not None and (record.forgotten or 0) < int(recording.at):
            _log.info("recorded", device=recording.device_id)
            return
        await asyncio.to_thread(self._recordings.drop, folder)
        _log.info("a turn is not recorded", device=recording.device_id, why="it was forgotten")

    async def _expire(self) -> None:
        while True:
            try:
                if gone := await asyncio.to_thread(self._recordings.expire, time.time()):
                    _log.info("recordings deleted", turns=gone)
            except OSError as error:
                _log.error("recordings are not deleted", why=type(error).__name__)
            await asyncio.sleep(_EXPIRE_S)
