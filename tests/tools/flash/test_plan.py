"""Plans: from whatever state of the board to the wanted one, also when they are cut off."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.flash.build import Build, BuiltFile
from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts, MpyFormat
from tools.flash.plan import Plan, make_plan

#: A model of the board's file system: path and content.
Disk = dict[str, bytes]

_OURS = [
    "boot.py",
    "main.py",
    "doll/a.mpy",
    "doll/a.py",
    "doll/b.mpy",
    "boards/x.mpy",
    "boards/x.py",
]
_OWNERS = ["boards/mine.py", "diary.txt", "lib/theirs.py"]
_CONTENTS = st.sampled_from([b"", b"old", b"new"])
_DISKS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys([*_OURS, *_OWNERS, *(f"incoming/{p}" for p in _OURS)], _CONTENTS)
)
_BUILDS = st.dictionaries(st.sampled_from(_OURS), st.sampled_from([b"new", b"newer"]), min_size=1)


def made(files: Disk) -> Build:
    # A file and its compiled form are never both in one build.
    kept = {p: d for p, d in files.items() if not (p.endswith(".py") and p[:-3] + ".mpy" in files)}
    return Build("1", "", tuple(BuiltFile(p, d) for p, d in sorted(kept.items())), 0)


def found(disk: Disk, free: int = 1 << 20) -> BoardFacts:
    """What survey.py would say; it does not look at what cannot be ours."""
    ours = {
        path: hashlib.sha256(data).hexdigest()
        for path, data in disk.items()
        if path.split("/")[0] in ("doll", "boards", "incoming", "boot.py", "main.py")
    }
    manifest = json.loads(disk.get("installed.json", b"{}"))
    return BoardFacts(
        "1.29", "ESP32", MpyFormat(6, 3, ""), free, 4096, ours, manifest.get("files", {})
    )


def steps(plan: Plan, disk: Disk) -> list[tuple[str, str, bytes]]:
    """What install() and switch.py do, one change of the file system at a time."""
    changes = [("write", "incoming/" + file.path, file.data) for file in plan.uploads()]
    staged = {**disk, **{path: data for _, path, data in changes}}
    listed = json.loads(plan.manifest)
    changes += [("move", path, staged["incoming/" + path]) for path in listed["move"]]
    changes += [("remove", path, b"") for path in listed["remove"]]
    if listed["settings"]:
        changes.append(("move", "settings.json", staged["incoming/settings.json"]))
    changes.append(("move", "installed.json", plan.manifest.encode()))
    changes += [("remove", path, b"") for path in staged if path.startswith("incoming/")]
    return changes


def carry_out(plan: Plan, disk: Disk, limit: int | None = None) -> None:
    if not plan.changes:
        return
    for kind, path, data in steps(plan, disk)[:limit]:
        if kind == "remove":
            disk.pop(path, None)
        else:
            disk[path] = data
            if kind == "move":
                disk.pop("incoming/" + path, None)


def expect(disk: Disk, build: Build, before: Disk) -> None:
    ours = {file.path: file.data for file in build.files}
    for path, data in ours.items():
        assert disk[path] == data
    for path in _OWNERS:
        assert disk.get(path) == before.get(path)
    assert not any(path.startswith("incoming/") for path in disk)
    assert {path for path in disk if path.startswith("doll/")} <= set(ours)
    # No source may hide a compiled file, nor the other way round.
    for path in ours:
        other = path[:-3] + ".mpy" if path.endswith(".py") else path[:-4] + ".py"
        assert other not in disk


@given(_DISKS, _BUILDS)
def test_any_board_becomes_the_build(disk: Disk, files: Disk) -> None:
    build, before = made(files), dict(disk)
    carry_out(make_plan(build, found(disk), '{"volume": 1}'), disk)
    expect(disk, build, before)
    assert disk["settings.json"] == b'{"volume": 1}'
    assert not make_plan(build, found(disk), None).changes


@given(_DISKS, _BUILDS, _BUILDS, st.integers(0, 30))
def test_an_interrupted_installation_is_completed_by_the_next(
    disk: Disk, first: Disk, second: Disk, limit: int
) -> None:
    before = dict(disk)
    carry_out(make_plan(made(first), found(disk), "{}"), disk, limit)
    build = made(second)
    carry_out(make_plan(build, found(disk), None), disk)
    expect(disk, build, before)


@given(_DISKS, _BUILDS, st.integers(0, 30))
def test_until_all_is_copied_nothing_changes(disk: Disk, files: Disk, limit: int) -> None:
    before = dict(disk)
    plan = make_plan(made(files), found(disk), None)
    carry_out(plan, disk, min(limit, len(plan.uploads())))
    assert {p: d for p, d in disk.items() if not p.startswith("incoming/")} == {
        p: d for p, d in before.items() if not p.startswith("incoming/")
    }


def test_a_file_of_ours_that_is_gone_is_removed_wherever_it_was() -> None:
    disk: Disk = {"boards/old.mpy": b"x", "boards/mine.py": b"y"}
    disk["installed.json"] = json.dumps({"files": {"boards/old.mpy": "00"}}).encode()
    assert make_plan(made({"main.py": b""}), found(disk), None).remove == ("boards/old.mpy",)


def test_settings_of_an_interrupted_installation_do_not_come_back() -> None:
    disk: Disk = {"incoming/settings.json": b'{"wifi": "wrong"}', "settings.json": b"{}"}
    carry_out(make_plan(made({"main.py": b""}), found(disk), None), disk)
    assert disk["settings.json"] == b"{}"


def test_it_counts_blocks_not_bytes() -> None:
    build = made({"main.py": b"x", "boot.py": b"y"})
    with pytest.raises(FlashError) as raised:
        make_plan(build, found({}, free=6 * 4096), None)
    assert raised.value.key == "full"
    assert make_plan(build, found({}, free=7 * 4096), None).changes  # two, the list, four to spare


def test_a_full_board_with_nothing_to_do_is_fine() -> None:
    assert not make_plan(made({"main.py": b"x"}), found({"main.py": b"x"}, free=0), None).changes
