"""Tells a doll, and so whoever talks with it, that its turns are recorded."""

from __future__ import annotations

import asyncio
import contextlib
import time
import tomllib
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from relay.wire.errors import Disconnected
from relay.wire.messages import Alert, RecorderState, RelayMessage


class Sign:
    """For one session. `close` it in the end.

    A doll of ours shows it with its light; another one is sent a text for its screen. Nothing is
    recorded before it was told (`is_shown`), and it ends by itself.
    """

    def __init__(
        self,
        send: Callable[[RelayMessage], Awaitable[None]],
        until: Callable[[], int | None],
        log: FilteringBoundLogger,
        *,
        has_light: bool,
        language: str,
    ) -> None:
        """`until` tells until when the doll is to be recorded, in Unix time; None: not at all."""
        self._send = send
        self._until = until
        self._language = language
        self._log = log
        self._has_light = has_light
        self._told = False
        self._telling: asyncio.Task[None] | None = None
        self._end: asyncio.TimerHandle | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the doll is to be recorded, and knows it."""
        return self._told and self._is_wanted()

    def update(self) -> None:
        """The session has begun, or what is known of the doll has changed."""
        self._stop_timer()
        if self._is_wanted():
            left_s = (self._until() or 0) - time.time()
            self._end = asyncio.get_running_loop().call_later(left_s, self.update)
        if self._is_wanted() != self._told and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    def close(self) -> None:
        """The session is over."""
        self._stop_timer()
        if self._telling is not None:
            self._telling.cancel()

    def _is_wanted(self) -> bool:
        until = self._until()
        return until is not None and time.time() < until

    async def _tell(self) -> None:
        with contextlib.suppress(Disconnected):
            while (wanted := self._is_wanted()) != self._told:
                if self._has_light:
                    await self._send(RecorderState("on" if wanted else "off"))
                else:
                    words = _words(self._language)
                    await self._send(Alert(words["status"], words["on" if wanted else "off"]))
                self._told = wanted
                self._log.info("recorder", state="on" if wanted else "off")

    def _stop_timer(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None


@cache
def _words(language: str) -> dict[str, str]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        tables: dict[str, dict[str, str]] = tomllib.load(file)
    return tables.get(language, tables["en"])
