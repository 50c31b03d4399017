"""The folder of updates that `doll update` fills and the relay offers from.

`latest.json` names the bundles beside it and is written last, by a rename: a relay that looks in
between finds the old update or the new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from relay.devices.bundle import MAX_BYTES, Bundle, BundleError, version_number
from relay.wire.messages import Firmware

INDEX = "latest.json"

#: How often a relay looks for a new update.
LOOK_S = 2.0


class Entry(Struct, frozen=True):
    """One bundle of the index."""

    file: str  #: its name in the folder
    mpy: str
    architecture: str
    files: int
    sha256: str


class Index(Struct, frozen=True):
    """What `latest.json` holds."""

    version: str
    bundles: list[Entry]
    force: bool = False  #: offer it also to dolls that have a newer one


class Shelf:
    """The update of the moment. Reads the disk in a thread, and only when the index has changed."""

    def __init__(self, folder: Path, *, automatic: bool = True) -> None:
        """`automatic`: what is newer is offered to every doll; else once its owner asks for it."""
        self._folder = folder
        self._automatic = automatic
        self._asked: dict[str, str] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._bundles: tuple[Bundle, ...] = ()
        self._force = False
        self._listeners: set[Callable[[], None]] = set()
        self._log = structlog.get_logger()

    def bundle_for(self, firmware: Firmware) -> Bundle | None:
        """What a doll with this firmware should have, or None if it has that."""
        exact = (firmware.mpy, firmware.arch)
        fitting = [b for b in self._bundles if (b.mpy, b.architecture) == exact] or [
            b for b in self._bundles if not b.architecture
        ]
        if not fitting:
            return None
        bundle = fitting[0]
        if firmware.trial or (bundle.version == firmware.failed and not self._force):
            return None
        return bundle if self._force or _is_newer(bundle, firmware) else None

    @property
    def version(self) -> str:
        """Of the update that is there; empty if there is none."""
        return self._bundles[0].version if self._bundles else ""

    def ask(self, device_id: str) -> None:
        """The owner wants this doll to have what is there, also where that is not automatic.

        Kept for the doll's next sessions: a small board starts anew before it fetches.
        """
        self._asked[device_id] = self.version

    def may_offer(self, device_id: str, bundle: Bundle) -> bool:
        """Whether the owner wants a doll to have it."""
        return self._automatic or self._asked.get(device_id) == bundle.version

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called when there is another update; the way to end that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def watch(self) -> None:
        """Look for new updates until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once. What cannot be used is logged, and what was there before stays."""
        try:
            found = await asyncio.to_thread(self._read)
        except (OSError, msgspec.MsgspecError, BundleError) as error:
            self._log.error("update unusable", folder=str(self._folder), reason=str(error)[:200])
            return
        if found is None:
            return
        self._bundles, self._force = found
        if self._bundles:
            self._log.info("update found", version=self._bundles[0].version, force=self._force)
        for listener in tuple(self._listeners):
            listener()

    def _read(self) -> tuple[tuple[Bundle, ...], bool] | None:
        """The bundles and `force`; None if nothing has changed. Runs in a thread."""
        index = self._folder / INDEX
        try:
            about = index.stat()
        except FileNotFoundError:
            about = None
        stamp = about and (about.st_mtime_ns, about.st_size, about.st_ino)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        if about is None:
            return (), False
        read = msgspec.json.decode(index.read_bytes(), type=Index)
        version_number(read.version)
        return tuple(self._bundle(read.version, entry) for entry in read.bundles), read.force

    def _bundle(self, version: str, entry: Entry) -> Bundle:
        path = self._folder / Path(entry.file).name
        if path.stat().st_size > MAX_BYTES:
            raise BundleError(f"{path.name} is larger than {MAX_BYTES} bytes")
        data = path.read_bytes()
        bundle = Bundle(version, entry.mpy, entry.architecture, entry.files, data)
        if bundle.sha256 != entry.sha256:
            raise BundleError(f"{path.name} is not what {INDEX} says")
        return bundle


def publish(folder: Path, bundles: Sequence[Bundle], *, force: bool = False) -> None:
    """Put an update, of one version, on the shelf in `folder`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for bundle in bundles:
        # The digest in the name: a relay that reads the old index still finds the old bundles.
        kind = bundle.architecture or "sources"
        name = f"doll-{bundle.version}-{kind}-{bundle.sha256[:12]}.bundle"
        (folder / name).write_bytes(bundle.data)
        entries.append(
            Entry(name, bundle.mpy, bundle.architecture, bundle.files, bundle.sha256),
        )
    index = folder / INDEX
    new = index.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(Index(bundles[0].version, entries, force)))
    new.replace(index)
    wanted = {entry.file for entry in entries}
    for old in folder.glob("doll-*.bundle"):
        if old.name not in wanted:
            old.unlink(missing_ok=True)


def _is_newer(bundle: Bundle, firmware: Firmware) -> bool:
    try:
        return version_number(bundle.version) > version_number(firmware.version)
    except BundleError:  # a doll that does not say what it has
        return False
