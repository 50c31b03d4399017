"""The relay under systemd, as `doll deploy` has set it up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools.upgrade.releases import Run

USER = "doll"
UNIT = "doll-relay.service"
STATE = Path("/var/lib/doll")
CONFIG = Path("/etc/doll/doll.toml")


def run(command: Sequence[str]) -> None:
    """Run it with the terminal as its output. Raises CalledProcessError, or OSError."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Systemd:
    """A `Service`. Failures of commands are RuntimeError."""

    def __init__(self, base: Path, run: Run = run) -> None:
        self._doll = base / "current" / "bin" / "doll"
        self._run = run

    def restart(self) -> None:
        """See Service.restart. systemd waits for the relay to part from its dolls."""
        self._command("systemctl", "restart", UNIT)

    def back_up(self) -> Path | None:
        """See Service.back_up."""
        if not (STATE / "data").is_dir():
            return None
        now = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        archive = STATE / "backups" / f"doll-{now}.tar.gz"  # counted by `doll backup --keep`
        self._as_doll("mkdir", "-p", "-m", "700", str(archive.parent))
        self._as_doll(str(self._doll), "backup", str(archive), "--config", str(CONFIG))
        return archive

    def restore(self, archive: Path) -> None:
        """See Service.restore."""
        self._command("systemctl", "stop", UNIT)
        self._as_doll(str(self._doll), "restore", str(archive), "--force", "--config", str(CONFIG))

    def _as_doll(self, *command: str) -> None:
        self._command("runuser", "-u", USER, "--", *command)

    def _command(self, *command: str) -> None:
        try:
            self._run(command)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{command[0]} failed with {error.returncode}") from None
