"""Puts a plan's files below a root folder: never half of one, and no owner's work lost."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from enum import Enum
from pathlib import Path

from tools.deploy.packages import is_untouched
from tools.deploy.plan import File

#: The end of the name under which a package's own file is kept.
ASIDE = ".packaged"


class Outcome(Enum):
    """What became of a file; the value names a text."""

    NEW = "new"
    SAME = "same"
    REPLACED = "replaced"
    PACKAGED = "packaged"  #: it was what its package brought; that is kept beside it
    KEPT = "kept"  #: it differs, and was left as its owner has it


def write(root: Path, file: File, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Write one file below `root`, with its mode from the first byte on. Raises OSError.

    What is there and differs is kept without `force`, and a secret one always. What a package
    brought and nobody has touched is nobody's work, and is replaced. `dry_run` tells what would be.
    """
    path = root / file.path.relative_to("/")
    outcome = _outcome(path, file, force)
    if outcome in (Outcome.REPLACED, Outcome.KEPT) and is_untouched(root, file.path):
        outcome = Outcome.PACKAGED
    if dry_run:
        return outcome
    if outcome in (Outcome.SAME, Outcome.KEPT):
        if file.secret:
            path.chmod(file.mode)
        return outcome
    if outcome is Outcome.PACKAGED:
        shutil.copy2(path, path.with_name(path.name + ASIDE))
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(file.text)
            os.fchmod(out.fileno(), file.mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return outcome


def _outcome(path: Path, file: File, force: bool) -> Outcome:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return Outcome.NEW
    if file.secret:
        return Outcome.KEPT
    if stat.S_ISREG(status.st_mode) and path.read_bytes() == file.text.encode():
        return Outcome.SAME if stat.S_IMODE(status.st_mode) == file.mode else Outcome.REPLACED
    return Outcome.REPLACED if force else Outcome.KEPT
