"""What an installation changes on a board, found by comparing. Sans-I/O.

Every installation compares the sha256 of every file, in its place and in incoming/, and trusts no
record of an earlier one. Whatever an interrupted installation has left, the next one completes it:
copies go to incoming/ first and change nothing, then onboard/switch.py renames them one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.flash.build import Build, BuiltFile
from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts

#: Where copies wait until all are there.
INCOMING = "incoming"

#: What the last installation put on the board: its version, and path: sha256 of its files.
MANIFEST = "installed.json"

_SETTINGS = "settings.json"

#: The certificate of a relay at home, from `doll flash --ca`; it stays until there is another.
OWN_CA = "relay.der"

#: firmware/doll/slots.py: which update over the air starts. Without it what the cable brought does.
_SLOT = "slot"
_SPARE_BLOCKS = 4  #: for folders and littlefs's own copies


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, in the order in which they are made."""

    copy: tuple[BuiltFile, ...]  #: to incoming/
    staged: tuple[str, ...]  #: in incoming/ already, from an installation that was interrupted
    remove: tuple[str, ...]  #: files of ours that are not wanted any more
    manifest: str  #: the text of installed.json
    settings: str | None  #: the new text of settings.json, or None to leave it; holds secrets
    leftovers: bool = False  #: there is an incoming/ that must go, whatever it holds

    @property
    def changes(self) -> bool:
        """Whether anything changes at all."""
        return (
            bool(self.copy or self.staged or self.remove or self.leftovers)
            or self.settings is not None
        )

    @property
    def bytes(self) -> int:
        """How much is copied."""
        return sum(len(file.data) for file in self.uploads())

    def uploads(self) -> tuple[BuiltFile, ...]:
        """All that goes to incoming/; what completes it comes last."""
        files = list(self.copy)
        if self.settings is not None:
            files.append(BuiltFile(_SETTINGS, self.settings.encode()))
        files.append(BuiltFile(MANIFEST, self.manifest.encode()))
        return tuple(files)


def make_plan(build: Build, facts: BoardFacts, settings: str | None) -> Plan:
    """Compares; `settings` is the new text of settings.json, None if it stays.

    Raises:
        FlashError: it does not fit on the board.
    """
    changed = [file for file in build.files if facts.files.get(file.path) != file.sha256]
    staged = [file for file in changed if facts.files.get(f"{INCOMING}/{file.path}") == file.sha256]
    wanted = {file.path: file.sha256 for file in build.files}
    remove = tuple(sorted(path for path in facts.files if _is_stale(path, wanted, facts)))
    plan = Plan(
        copy=tuple(file for file in changed if file not in staged),
        staged=tuple(file.path for file in staged),
        remove=remove,
        manifest=json.dumps(
            {
                "version": build.version,
                "files": wanted,
                # A file that is right already may have an old copy in incoming/: it stays there.
                "move": [file.path for file in changed],
                "remove": remove,
                # Settings that an interrupted installation has left do not come back.
                "settings": settings is not None,
            }
        ),
        settings=settings,
        leftovers=any(path.startswith(f"{INCOMING}/") for path in facts.files),
    )
    # Old and new stand side by side until the switch.
    blocks = sum(-(-len(file.data) // facts.block) for file in plan.uploads()) + _SPARE_BLOCKS
    if plan.changes and blocks * facts.block > facts.free:
        raise FlashError("full", needed=blocks * facts.block // 1024, free=facts.free // 1024)
    return plan


def _is_stale(path: str, wanted: dict[str, str], facts: BoardFacts) -> bool:
    """Whether a file on the board is ours and not wanted any more.

    doll/ is all ours; among the boards there may be one of the owner's. A source beside its .mpy
    must go: MicroPython would load the source.
    """
    if path in wanted or path == OWN_CA or path.startswith(f"{INCOMING}/"):
        return False
    if path == _SLOT:
        return True
    other = str(PurePosixPath(path).with_suffix(".mpy" if path.endswith(".py") else ".py"))
    return path.startswith("doll/") or path in facts.installed or other in wanted
