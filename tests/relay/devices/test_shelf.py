"""The shelf of updates: what a doll is given from it, and what a damaged shelf does."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from relay.devices.bundle import Bundle, BundleError, pack, version_number
from relay.devices.shelf import INDEX, Shelf, publish
from relay.wire.messages import Firmware


def bundle(version: str = "1.2.0", architecture: str = "xtensawin", text: str = "") -> Bundle:
    data = pack([("doll/start.py", f"# {version} {architecture} {text}".encode())])
    return Bundle(version, "6.3" if architecture else "", architecture, 1, data)


def doll(
    version: str = "1.1.0", mpy: str = "6.3", arch: str = "xtensawin", failed: str = ""
) -> Firmware:
    return Firmware(version=version, nonce="n", mpy=mpy, arch=arch, failed=failed)


async def shelf(folder: Path, *bundles: Bundle, force: bool = False) -> Shelf:
    publish(folder, bundles, force=force)
    made = Shelf(folder)
    await made.look()
    return made


async def test_each_board_gets_what_was_compiled_for_it(tmp_path: Path) -> None:
    made = await shelf(tmp_path, *(bundle(architecture=a) for a in ("xtensawin", "rv32imc", "")))
    for mpy, arch, found in [
        ("6.3", "xtensawin", "xtensawin"),
        ("6.3", "rv32imc", "rv32imc"),
        ("6.2", "xtensawin", ""),
        ("6.3", "armv7m", ""),
        ("", "", ""),
    ]:
        given = made.bundle_for(doll(mpy=mpy, arch=arch))
        assert given is not None
        assert given.architecture == found


async def test_without_sources_a_board_of_another_kind_gets_nothing(tmp_path: Path) -> None:
    made = await shelf(tmp_path, bundle())
    assert made.bundle_for(doll(arch="rv32imc")) is None


@pytest.mark.parametrize(
    ("version", "given"),
    [("1.1.9", True), ("1.2.0", False), ("1.10.0", False), ("0.99.99", True), ("dev", False)],
)
async def test_only_a_newer_version_is_given(tmp_path: Path, version: str, given: bool) -> None:
    made = await shelf(tmp_path, bundle("1.2.0"))
    assert (made.bundle_for(doll(version)) is not None) is given


async def test_force_gives_older_ones_too(tmp_path: Path) -> None:
    made = await shelf(tmp_path, bundle("1.2.0"), force=True)
    assert made.bundle_for(doll("2.0.0", failed="1.2.0")) is not None


async def test_a_doll_on_trial_or_one_where_it_failed_is_left_in_peace(tmp_path: Path) -> None:
    made = await shelf(tmp_path, bundle("1.2.0"))
    assert made.bundle_for(Firmware(version="1.1.0", nonce="n", trial=True)) is None
    assert made.bundle_for(doll(failed="1.2.0")) is None
    assert made.bundle_for(doll(failed="1.1.5")) is not None


async def test_there_need_not_be_a_folder(tmp_path: Path) -> None:
    made = Shelf(tmp_path / "none")
    await made.look()
    assert made.bundle_for(doll()) is None


async def test_who_listens_hears_of_each_new_update_once(tmp_path: Path) -> None:
    made = await shelf(tmp_path, bundle("1.2.0"))
    heard: list[int] = []
    stop = made.listen(lambda: heard.append(1))
    await made.look()
    assert not heard
    publish(tmp_path, [bundle("1.3.0")])
    await made.look()
    await made.look()
    assert len(heard) == 1
    stop()
    publish(tmp_path, [bundle("1.4.0")])
    await made.look()
    assert len(heard) == 1


def test_old_bundles_go_when_a_new_update_comes(tmp_path: Path) -> None:
    publish(tmp_path, [bundle("1.2.0"), bundle("1.2.0", "")])
    (tmp_path / "notes.txt").write_text("mine")
    publish(tmp_path, [bundle("1.3.0")])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.split("-")[1] for name in names if name.startswith("doll-")] == ["1.3.0"]
    assert "notes.txt" in names


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / INDEX).write_text("{"),
        lambda folder: (folder / INDEX).write_text('{"version":"x","bundles":[]}'),
        lambda folder: (folder / INDEX).write_text('{"version":"9.9.9"}'),
        lambda folder: next(folder.glob("*1.3.0*")).write_bytes(b"something else"),
        lambda folder: next(folder.glob("*1.3.0*")).write_bytes(bytes(1_000_001)),
        lambda folder: next(folder.glob("*1.3.0*")).unlink(),
    ],
    ids=["no json", "no version", "no list", "another bundle", "too large", "no bundle"],
)
async def test_an_update_that_is_damaged_is_told_and_the_one_before_stays(
    tmp_path: Path, damage: object
) -> None:
    made = await shelf(tmp_path, bundle("1.2.0"))
    publish(tmp_path, [bundle("1.3.0")])
    damage(tmp_path)  # type: ignore[operator]
    with structlog.testing.capture_logs() as logs:
        await made.look()
        await made.look()
    assert [line["event"] for line in logs] == ["update unusable"], "told once"
    given = made.bundle_for(doll())
    assert given is not None
    assert given.version == "1.2.0"


async def test_a_name_in_the_index_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "updates"
    publish(folder, [bundle()])
    name = next(folder.glob("doll-*")).name
    (folder / name).rename(tmp_path / name)
    index = folder / INDEX
    index.write_text(index.read_text().replace(name, f"../{name}"))
    made = Shelf(folder)
    await made.look()
    assert made.bundle_for(doll()) is None


@pytest.mark.parametrize("text", ["1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.3 ", "١.٢.٣", ""])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BundleError):
        version_number(text)
