"""The data are saved and put back by the release that runs, as the user that owns them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tools.upgrade import systemd
from tools.upgrade.systemd import Systemd

AS_DOLL = ["runuser", "-u", "doll", "--"]


class Machine:
    """Runs what is to be run as the user `doll`, as whoever runs the test; notes all the rest."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def __call__(self, command: Sequence[str]) -> None:
        if list(command[:4]) == AS_DOLL:
            subprocess.run(command[4:], check=True, capture_output=True)
            self.did.append(Path(command[4]).name)
        else:
            self.did.append(" ".join(command))


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where releases are: one, which is this one. Its relay's data are beside it."""
    doll = tmp_path / "opt/current/bin/doll"
    doll.parent.mkdir(parents=True)
    doll.symlink_to(Path(sys.executable).with_name("doll"))
    state = tmp_path / "state"
    config = tmp_path / "doll.toml"
    config.write_text(f'[relay]\ndata = "{state / "data"}"\n')
    monkeypatch.setattr(systemd, "STATE", state)
    monkeypatch.setattr(systemd, "CONFIG", config)
    return tmp_path / "opt"


def test_data_come_back_as_they_were_while_the_relay_stands(base: Path) -> None:
    data = systemd.STATE / "data"
    data.mkdir(parents=True)
    with closing(sqlite3.connect(data / "doll.db")) as database:
        database.execute("CREATE TABLE said (line TEXT)")
        database.execute("INSERT INTO said VALUES ('before')")
        database.commit()
        machine = Machine()
        service = Systemd(base, machine)
        archive = service.back_up()  # while the database is open, as the relay has it
        assert archive is not None
        assert archive.parent == systemd.STATE / "backups"
        assert archive.stat().st_mode & 0o077 == archive.parent.stat().st_mode & 0o077 == 0
        database.execute("DROP TABLE said")
        database.commit()
    service.restore(archive)
    with closing(sqlite3.connect(data / "doll.db")) as database:
        assert database.execute("SELECT line FROM said").fetchall() == [("before",)]
    assert machine.did == ["mkdir", "doll", "systemctl stop doll-relay.service", "doll"]


def test_there_is_nothing_to_save_before_the_first_start(base: Path) -> None:
    machine = Machine()
    assert Systemd(base, machine).back_up() is None
    assert machine.did == []


def test_an_archive_that_is_damaged_is_told_and_changes_nothing(base: Path) -> None:
    data = systemd.STATE / "data"
    data.mkdir(parents=True)
    (data / "note").write_text("kept")
    archive = systemd.STATE / "doll-1.tar.gz"
    archive.write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="runuser failed with 1"):
        Systemd(base, Machine()).restore(archive)
    assert (data / "note").read_text() == "kept"
