"""Whatever moment of an update the power fails in, the doll starts: the old version or the new."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Micropython = Callable[..., str]

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SCRIPT = Path(__file__).with_name("scripts") / "power_cuts.py"

#: What a start needs until it runs the app; the rest of the app is made up.
_GUARD = ("guard.py", "slots.py", "starts.py")

_START = """\
import machine
from . import part1, part2
def run():
    assert part1.X == part2.X == {version!r}
    machine.started = {version!r}
"""

_QUIET = """\
def info(*args): pass
warn = error = info
def clean(text): return text
"""


def _version(version: str) -> dict[str, str]:
    filler = "".join(f"# {n} {version}\n" for n in range(150))
    return {
        "doll/__init__.py": f'__version__ = "{version}"\n',
        **{f"doll/{name}": (FIRMWARE / "doll" / name).read_text() for name in _GUARD},
        "doll/log.py": _QUIET,
        "doll/start.py": _START.format(version=version),
        "doll/part1.py": f"X = {version!r}\n{filler}",
        "doll/part2.py": f"{filler}X = {version!r}\n",
        "boards/mini.py": 'NAME = "mini"\n',
    }


def test_a_power_cut_at_any_write_leaves_a_doll_that_starts(
    micropython: Micropython, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    main = (FIRMWARE / "main.py").read_text()
    old.write_text(json.dumps({"main.py": main, **_version("0.1.0")}))
    new.write_text(json.dumps(_version("0.2.0")))
    output = micropython(SCRIPT, str(old), str(new), heap="16M")
    series = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    cuts = {one["name"]: one["cuts"] for one in series}
    kinds = ("update", "prove", "take back")
    assert set(cuts) == {*kinds, *(f"{kind} again" for kind in kinds)}
    assert all(count > 0 for count in cuts.values())
    assert sum(cuts.values()) >= 600
    found = {one["name"]: set(one["found"]) for one in series}
    assert found["update"] == {"0.1.0", "0.2.0"}
    assert found["update again"] == {"0.2.0", "0.3.0"}
