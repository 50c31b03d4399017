"""`python3 -m tools.upgrade SOURCE`, from a checkout: makes a release, and lets it serve.

Works before anything is installed; `doll upgrade` is the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.upgrade.releases import FLAVOURS, Releases, UpgradeError
from tools.upgrade.systemd import CONFIG, Systemd, run
from tools.upgrade.upgrade import Health, roll_back, upgrade


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 with a line on standard error."""
    options = _parser().parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036 (the system's Python, before any installer checks)
        return _failed("Python 3.11 or newer is needed")
    if options.rollback == (options.source is not None):
        return _failed("name a checkout or a wheel, or say --rollback")
    base = options.base.absolute()
    releases = Releases(base, run)
    health = Health(options.health, options.patience)
    try:
        if options.rollback:
            print(f"{roll_back(releases, Systemd(base), health.is_good)} serves again")
            return 0
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        print(f"installing {name} into {base} (minutes) …", flush=True)
        releases.make(name, options.source, options.flavour)
        if releases.current is None and not CONFIG.exists():
            releases.switch(name)
            print(f"made; now: sudo {base}/current/bin/doll deploy YOUR.DOMAIN")
            return 0
        archive = upgrade(releases, Systemd(base), health.is_good, name)
    except (UpgradeError, RuntimeError, OSError) as error:
        return _failed(str(error))
    print(f"{name} serves" + (f"; the data before it: {archive}" if archive else ""))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="doll upgrade", description=__doc__)
    parser.add_argument("source", nargs="?", type=Path, help="a checkout, or a wheel")
    parser.add_argument("--rollback", action="store_true", help="go back to the release before")
    parser.add_argument("--base", type=Path, default=Path("/opt/doll"), help="where releases are")
    parser.add_argument("--flavour", choices=FLAVOURS, default="cloud", help="what to install")
    parser.add_argument(
        "--health", default="http://127.0.0.1:8000/healthz", help="address that tells how it is"
    )
    parser.add_argument("--patience", type=float, default=60.0, help="seconds until it must serve")
    return parser


def _failed(why: str) -> int:
    print(f"doll upgrade: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
