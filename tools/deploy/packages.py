"""Which files are still as Debian's package manager has put them there."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

_STATUS = PurePosixPath("/var/lib/dpkg/status")


def is_untouched(root: Path, path: PurePosixPath) -> bool:
    """Whether a package below `root` brought this file and nobody has changed it since.

    False where there is no dpkg, or the file is no package's settings. Raises OSError.
    """
    try:
        status = (root / _STATUS.relative_to("/")).read_text("utf-8", "replace")
    except FileNotFoundError:
        return False
    # In the field `Conffiles` (deb-conffiles(5), dpkg-query(1)) each line is: path, MD5 of the file
    # as the package brought it, perhaps `obsolete`.
    digests = {line.split()[1] for line in status.splitlines() if line.startswith(f" {path} ")}
    file = root / path.relative_to("/")
    if not digests or file.is_symlink():
        return False
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() in digests
