"""A folder of releases, each a virtual environment of its own, and a link to the one that runs.

/opt/doll/releases/20261123-101500/    made whole before anything points at it
/opt/doll/current -> releases/20261123-101500
/opt/doll/previous -> releases/20261101-090000
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

#: Runs a command. Raises CalledProcessError, or OSError.
Run = Callable[[Sequence[str]], None]

#: For people: the voice detector alone, without the embedded ear and voice (250 MB of models).
EARS_OF_CLOUD = ("onnxruntime>=1.20",)
#: The voice detector's weights are in this wheel; what it depends on is not needed for them.
WEIGHTS_OF_CLOUD = "faster-whisper==1.2.1"

_NAME = re.compile(r"\d{8}-\d{6}")
_EXTRAS = {
    "cloud": "gemini,edge,opus,redis",
    "embedded": "embedded,gemini,edge,opus,voice,redis",
}
FLAVOURS = tuple(_EXTRAS)


class UpgradeError(Exception):
    """What is wrong and what to do, in one line."""


class Releases:
    """The releases below `base`. Calls that change something want the rights to write there."""

    def __init__(self, base: Path, run: Run) -> None:
        self._base = base
        self._run = run

    @property
    def current(self) -> str | None:
        """The release that runs."""
        return self._target("current")

    @property
    def previous(self) -> str | None:
        """The one before it, if it is still there."""
        return self._target("previous")

    def names(self) -> list[str]:
        """All that are whole, the oldest first."""
        folder = self._base / "releases"
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))

    def make(self, name: str, source: Path, flavour: str) -> None:
        """Install `source`, a checkout or a wheel, into a new release; nothing points at it yet.

        Raises UpgradeError, and then there is no such release.
        """
        folder = self._base / "releases"
        # A virtual environment has its own place written into it, so it cannot be moved when it is
        # whole; a name that begins with a dot says that it is not.
        whole, marker = folder / name, folder / f".{name}.partial"
        if whole.exists():
            raise UpgradeError(f"{whole} is there already")
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._forget_broken(folder)
        marker.touch()
        try:
            self._install(whole, source, flavour)
        except (subprocess.CalledProcessError, OSError) as error:
            shutil.rmtree(whole, ignore_errors=True)
            marker.unlink()
            raise UpgradeError(f"the new release could not be installed: {error}") from None
        marker.unlink()

    def _forget_broken(self, folder: Path) -> None:
        """Remove what an upgrade that was cut off has left."""
        for marker in folder.glob(".*.partial"):
            shutil.rmtree(folder / marker.name[1:].removesuffix(".partial"), ignore_errors=True)
            marker.unlink()

    def _install(self, folder: Path, source: Path, flavour: str) -> None:
        self._run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install"]
        quiet = ["--disable-pip-version-check", "--quiet", "--no-cache-dir"]
        packages = [f"{source.resolve()}[{_EXTRAS[flavour]}]"]
        if flavour == "cloud":
            packages += EARS_OF_CLOUD
        self._run([*pip, *quiet, *packages])
        if flavour == "cloud":
            self._run([*pip, *quiet, "--no-deps", WEIGHTS_OF_CLOUD])
        self._run([str(folder / "bin" / "doll"), "--help"])

    def switch(self, name: str) -> None:
        """Let `current` be that release, and `previous` the one that it was. Each is one step."""
        if name not in self.names():
            raise UpgradeError(f"there is no release {name} in {self._base / 'releases'}")
        before = self.current
        if before == name:
            return
        if before is not None:
            self._point("previous", before)
        self._point("current", name)

    def take_back(self, name: str, previous: str | None) -> None:
        """Let `current` be `name` again, and `previous` what it was: what came between was bad."""
        self._point("current", name)
        if previous is None:
            (self._base / "previous").unlink(missing_ok=True)
        else:
            self._point("previous", previous)

    def prune(self, keep: int) -> list[str]:
        """Delete the oldest but `keep`; never the one that runs, nor the one before it."""
        used = {self.current, self.previous}
        gone = [name for name in self.names()[:-keep] if name not in used]
        for name in gone:
            shutil.rmtree(self._base / "releases" / name)
        return gone

    def _target(self, link: str) -> str | None:
        try:
            name = (self._base / link).readlink().name
        except OSError:
            return None
        return name if name in self.names() else None

    def _point(self, link: str, name: str) -> None:
        fresh = self._base / f".{link}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / name)
        os.replace(fresh, self._base / link)  # noqa: PTH105 (a link, as it is)
