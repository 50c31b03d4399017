"""From one release to the next: switch, restart, look whether it serves, and go back if not."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.upgrade.releases import Releases, UpgradeError

_ASK_S = 1.0
_ANSWER_S = 5.0
_MAX_ANSWER = 4096


class Service(Protocol):
    """The relay as the system runs it."""

    def restart(self) -> None:
        """Stop it if it runs, and start it. Raises OSError or CalledProcessError."""

    def back_up(self) -> Path | None:
        """Save its data; where. None if there is none yet. Raises as `restart` does."""

    def restore(self, archive: Path) -> None:
        """Stop it and put its data back. Raises as `restart` does."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one finds out whether the relay serves dolls."""

    url: str = "http://127.0.0.1:8000/healthz"
    patience_s: float = 60.0

    def is_good(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> bool:
        """Ask until it says that it is well, or patience ends."""
        until = clock() + self.patience_s
        while True:
            if self._asked():
                return True
            if clock() >= until:
                return False
            sleep(_ASK_S)

    def _asked(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=_ANSWER_S) as answer:  # noqa: S310
                said = json.loads(answer.read(_MAX_ANSWER))
        except (OSError, ValueError):
            return False
        return isinstance(said, dict) and said.get("status") == "ok"


def upgrade(
    releases: Releases, service: Service, healthy: Callable[[], bool], name: str, keep: int = 3
) -> Path | None:
    """Let the release `name` serve; where the data was saved before. Raises UpgradeError.

    If it does not serve, the one before it is switched back on, and if that does not get well
    either (a new release may have changed the database), with the data as they were.
    """
    before, earlier = releases.current, releases.previous
    archive = service.back_up() if before is not None else None
    releases.switch(name)
    if _serves(service, healthy):
        releases.prune(keep)
        return archive
    if before is None:
        raise UpgradeError(f"{name} does not serve: journalctl -u doll-relay says why")
    releases.take_back(before, earlier)
    if _serves(service, healthy):
        raise UpgradeError(f"{name} did not serve; {before} is back (journalctl -u doll-relay)")
    if archive is not None:
        service.restore(archive)
        if _serves(service, healthy):
            raise UpgradeError(
                f"{name} did not serve; {before} is back, with the data of {archive.name}"
            )
    raise UpgradeError(f"neither {name} nor {before} serves: journalctl -u doll-relay says why")


def roll_back(releases: Releases, service: Service, healthy: Callable[[], bool]) -> str:
    """Let the release before this one serve again; its name. Raises UpgradeError."""
    before = releases.previous
    if before is None:
        raise UpgradeError("there is no release to go back to")
    releases.switch(before)
    if not _serves(service, healthy):
        raise UpgradeError(
            f"{before} does not serve (journalctl -u doll-relay). If it says that a later version "
            "has written the database: doll restore ARCHIVE --force"
        )
    return before


def _serves(service: Service, healthy: Callable[[], bool]) -> bool:
    try:
        service.restart()
    except (OSError, RuntimeError):
        return False
    return healthy()
