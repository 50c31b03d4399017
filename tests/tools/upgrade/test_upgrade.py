"""A release that does not serve is taken back, with the data if need be."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.relay import running
from tools.upgrade.__main__ import main
from tools.upgrade.releases import Releases, UpgradeError
from tools.upgrade.systemd import Systemd
from tools.upgrade.upgrade import Health, roll_back, upgrade

OLD, NEW = "20260101-000000", "20260102-000000"


class Machine:
    """A service of which `good` says which releases can serve, and `spoilt` what ruins data."""

    def __init__(self, folder: Path, good: set[str], spoils: bool = False) -> None:
        for name in (OLD, NEW):
            (folder / "releases" / name).mkdir(parents=True)
        self.releases = Releases(folder, self._nothing)
        self.releases.switch(OLD)
        self._good, self._spoils, self._spoilt = good, spoils, False
        self.did: list[str] = []

    @staticmethod
    def _nothing(_: Sequence[str]) -> None:
        raise AssertionError

    def restart(self) -> None:
        self.did.append(f"start {self.releases.current}")
        self._spoilt |= self._spoils and self.releases.current == NEW

    def back_up(self) -> Path | None:
        self.did.append("save")
        return Path("/backups/one.tar.gz")

    def restore(self, archive: Path) -> None:
        self.did.append(f"restore {archive.name}")
        self._spoilt = False

    def serves(self) -> bool:
        return self.releases.current in self._good and not self._spoilt


def test_a_release_that_serves_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {OLD, NEW})
    assert upgrade(machine.releases, machine, machine.serves, NEW) == Path("/backups/one.tar.gz")
    assert machine.did == ["save", f"start {NEW}"]
    assert roll_back(machine.releases, machine, machine.serves) == OLD
    assert machine.releases.current == OLD


def test_one_that_does_not_is_taken_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {OLD})
    with pytest.raises(UpgradeError, match=f"{OLD} is back"):
        upgrade(machine.releases, machine, machine.serves, NEW)
    assert machine.releases.current == OLD
    assert machine.did == ["save", f"start {NEW}", f"start {OLD}"]
    assert machine.releases.previous is None, "a rollback would lead to the one that does not serve"


def test_data_that_the_new_one_has_changed_are_put_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {OLD}, spoils=True)
    with pytest.raises(UpgradeError, match=r"with the data of one\.tar\.gz"):
        upgrade(machine.releases, machine, machine.serves, NEW)
    assert machine.serves()


def test_nothing_that_serves_is_said_in_one_line(tmp_path: Path) -> None:
    machine = Machine(tmp_path, set())
    with pytest.raises(UpgradeError, match="neither"):
        upgrade(machine.releases, machine, machine.serves, NEW)


def test_there_is_not_always_a_way_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {OLD})
    with pytest.raises(UpgradeError, match="no release to go back to"):
        roll_back(machine.releases, machine, machine.serves)


def test_a_command_that_fails_does_not_serve(tmp_path: Path) -> None:
    def fails(command: Sequence[str]) -> None:
        raise subprocess.CalledProcessError(5, list(command))

    with pytest.raises(RuntimeError, match="systemctl failed with 5"):
        Systemd(tmp_path, fails).restart()


async def test_a_relay_that_serves_is_found_well_and_silence_is_not() -> None:
    async with running() as relay:
        url = relay.url.replace("ws://", "http://").replace("/xiaozhi/v1/", "/healthz")
        assert await asyncio.to_thread(Health(url, 5).is_good)
    assert not Health(url, 0).is_good()


def test_it_works_without_anything_installed() -> None:
    command = [sys.executable, "-I", "-S", "-c", _BARE, str(Path(__file__).parents[3])]
    subprocess.run(command, check=True)


_BARE = "import sys; sys.path.insert(0, sys.argv[1]); import tools.upgrade.__main__"


@pytest.mark.parametrize("arguments", [[], ["src", "--rollback"]])
def test_one_says_what_to_do(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert "or say --rollback" in capsys.readouterr().err
