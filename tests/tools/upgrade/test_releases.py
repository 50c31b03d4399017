"""Releases stand side by side, and one link says which of them runs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.upgrade.releases import Releases, UpgradeError


class Runner:
    """Notes commands; `fails` names a word in the one that fails."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.fails = ""

    def __call__(self, command: Sequence[str]) -> None:
        self.commands.append(list(command))
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        if self.fails and any(self.fails in word for word in command):
            raise subprocess.CalledProcessError(1, list(command))


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def releases(tmp_path: Path, runner: Runner) -> Releases:
    made = Releases(tmp_path, runner)
    for day in (1, 2, 3, 4):
        made.make(f"2026010{day}-000000", Path("/src"), "cloud")
    return made


def test_a_cloud_release_has_no_models_but_the_detector_s(
    releases: Releases, runner: Runner
) -> None:
    venv, install, weights, works = runner.commands[:4]
    assert venv[1:3] == ["-m", "venv"]
    assert "/src[gemini,edge,opus,redis]" in install
    assert "onnxruntime>=1.20" in install
    assert weights[-2:] == ["--no-deps", "faster-whisper==1.2.1"]
    assert works[-1] == "--help"


@pytest.mark.parametrize("step", ["venv", "[gemini", "--no-deps", "--help"])
def test_what_could_not_be_installed_is_no_release(
    releases: Releases, runner: Runner, tmp_path: Path, step: str
) -> None:
    runner.fails = step
    before = sorted((tmp_path / "releases").iterdir())
    with pytest.raises(UpgradeError, match="could not be installed"):
        releases.make("20260105-000000", Path("/src"), "cloud")
    assert sorted((tmp_path / "releases").iterdir()) == before


def test_what_was_cut_off_is_removed_by_the_next(releases: Releases, tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    (folder / "20260105-000000").mkdir()
    (folder / ".20260105-000000.partial").touch()
    releases.make("20260106-000000", Path("/src"), "embedded")
    assert releases.names()[-2:] == ["20260104-000000", "20260106-000000"]


def test_switching_keeps_the_way_back(releases: Releases, tmp_path: Path) -> None:
    assert releases.current is None
    releases.switch("20260101-000000")
    assert releases.previous is None
    releases.switch("20260103-000000")
    releases.switch("20260103-000000")
    assert (releases.current, releases.previous) == ("20260103-000000", "20260101-000000")
    assert (tmp_path / "current").readlink() == Path("releases/20260103-000000")
    with pytest.raises(UpgradeError, match="no release"):
        releases.switch("../../etc")


def test_a_release_that_was_bad_is_no_way_back(releases: Releases) -> None:
    releases.switch("20260101-000000")
    releases.switch("20260102-000000")
    releases.switch("20260103-000000")
    releases.take_back("20260102-000000", "20260101-000000")
    assert (releases.current, releases.previous) == ("20260102-000000", "20260101-000000")


def test_pruning_leaves_what_runs_and_what_ran(releases: Releases) -> None:
    releases.switch("20260101-000000")
    releases.switch("20260104-000000")
    assert releases.prune(1) == ["20260102-000000", "20260103-000000"]
    assert releases.names() == ["20260101-000000", "20260104-000000"]
