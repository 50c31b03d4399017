"""A data folder goes into an archive while it is used, and comes out of it as it was."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from relay.config import RelaySettings
from tools.backup.archive import MANIFEST, back_up
from tools.backup.errors import BackupError
from tools.backup.restore import prune, restore
from tools.cli import app
from tools.pairing import issue, opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "personas").mkdir(parents=True)
    (folder / "personas" / "chacha.toml").write_text("name = '차차'", encoding="utf-8")
    (folder / "elsewhere").symlink_to("/etc/passwd")
    return folder


async def test_a_doll_is_known_after_a_restore(data: Path, tmp_path: Path) -> None:
    token = await issue(RelaySettings(data=data), "doll-1", name="차차")
    archive = tmp_path / "a.tar.gz"
    back_up(data, archive)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    there = tmp_path / "new" / "data"
    assert restore(archive, there) is None
    async with opened(RelaySettings(data=there)) as registry:
        assert await registry.check("doll-1", token) is not None
    assert (there / "personas" / "chacha.toml").read_text(encoding="utf-8") == "name = '차차'"
    assert not (there / "elsewhere").exists()
    assert stat.S_IMODE((there / "doll.db").stat().st_mode) == 0o600


def test_what_stands_in_the_log_only_is_saved_and_what_is_half_done_is_not(
    data: Path, tmp_path: Path
) -> None:
    database = sqlite3.connect(data / "quota.sqlite3", isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
    assert (data / "quota.sqlite3-wal").stat().st_size
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO t VALUES (2)")
    names = [entry.path for entry in back_up(data, tmp_path / "a.tar.gz")]
    database.execute("ROLLBACK")
    database.close()
    assert names == ["personas/chacha.toml", "quota.sqlite3"]
    restore(tmp_path / "a.tar.gz", tmp_path / "new")
    restored = sqlite3.connect(tmp_path / "new" / "quota.sqlite3")
    assert restored.execute("SELECT n FROM t").fetchall() == [(1,)]
    restored.close()


def test_data_that_is_there_is_left_alone_or_kept_beside(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    back_up(data, archive)
    (data / "personas" / "chacha.toml").write_text("changed")
    with pytest.raises(BackupError, match="occupied"):
        restore(archive, data)
    assert (data / "personas" / "chacha.toml").read_text() == "changed"
    aside = restore(archive, data, force=True)
    assert aside is not None
    assert (aside / "personas" / "chacha.toml").read_text() == "changed"
    assert (data / "personas" / "chacha.toml").read_text() != "changed"


def test_an_archive_is_never_written_over(data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_text("mine")
    with pytest.raises(BackupError, match="archive_exists"):
        back_up(data, tmp_path / "a.tar.gz")
    assert (tmp_path / "a.tar.gz").read_text() == "mine"


@given(st.booleans(), st.integers(0, 1 << 20), st.integers(0, 7))
def test_an_archive_that_was_cut_off_or_changed_restores_nothing(
    tmp_path_factory: pytest.TempPathFactory, cut: bool, where: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("case")
    (folder / "data").mkdir()
    (folder / "data" / "a").write_bytes(bytes(range(256)) * 8)
    whole = folder / "whole"
    back_up(folder / "data", whole)
    damaged = bytearray(whole.read_bytes())
    if cut:
        del damaged[where % len(damaged) :]
    else:
        damaged[where % len(damaged)] ^= 1 << bit
    (folder / "damaged").write_bytes(damaged)
    try:
        restore(folder / "damaged", folder / "new")
    except BackupError:
        assert not (folder / "new").exists()
        assert not list(folder.glob(".restore-*"))
    else:  # only a change that changes no file
        assert (folder / "new" / "a").read_bytes() == (folder / "data" / "a").read_bytes()


def _archive(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, "/etc/passwd", len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "member",
    [
        ("../out", tarfile.REGTYPE, b"x"),
        ("/tmp/out", tarfile.REGTYPE, b"x"),
        ("a/../../out", tarfile.REGTYPE, b"x"),
        ("link", tarfile.SYMTYPE, b""),
        ("link", tarfile.LNKTYPE, b""),
        ("fifo", tarfile.FIFOTYPE, b""),
        ("surplus", tarfile.REGTYPE, b"x"),
    ],
)
def test_an_archive_decides_nothing_about_places(
    tmp_path: Path, member: tuple[str, bytes, bytes]
) -> None:
    manifest = json.dumps({"format": 1, "files": {}}).encode()
    archive = _archive(tmp_path / "a", member, (MANIFEST, tarfile.REGTYPE, manifest))
    with pytest.raises(BackupError, match="damaged"):
        restore(archive, tmp_path / "in" / "data")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "in"]
    assert not list((tmp_path / "in").iterdir())


def test_pruning_keeps_the_newest_and_what_has_another_name(tmp_path: Path) -> None:
    for name in ("doll-1.tar.gz", "doll-2.tar.gz", "doll-3.tar.gz", "mine.tar.gz"):
        (tmp_path / name).touch()
    assert [path.name for path in prune(tmp_path, 2)] == ["doll-1.tar.gz"]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("language", ["ko_KR.UTF-8", "en_US.UTF-8"])
def test_the_commands(data: Path, tmp_path: Path, language: str) -> None:
    environment = {"DOLL_RELAY__DATA": str(data), "LC_ALL": language}
    backups = tmp_path / "backups"
    backups.mkdir()
    run = CliRunner().invoke(app, ["backup", str(backups), "--keep", "1"], env=environment)
    assert run.exit_code == 0, run.output
    (archive,) = backups.iterdir()
    assert run.stdout.startswith(str(archive))
    assert CliRunner().invoke(app, ["restore", str(archive)], env=environment).exit_code == 1
    assert (
        CliRunner().invoke(app, ["restore", str(archive), "--force"], env=environment).exit_code
        == 0
    )
