"""`doll update`: bundles for every kind of board, on the relay's shelf."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.devices.shelf import Shelf
from relay.wire.messages import Firmware
from tools.cli import app
from tools.flash.build import FIRMWARE


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["update", *arguments])
    return result.exit_code, result.output


async def test_the_relay_finds_what_it_made_and_every_board_its_own(tmp_path: Path) -> None:
    code, output = run("--version", "0.9.0")
    assert code == 0, output
    assert "0.9.0" in output
    shelf = Shelf(tmp_path / "updates")
    await shelf.look()
    for arch in ("xtensawin", "rv32imc", "armv7m"):
        bundle = shelf.bundle_for(Firmware(version="0.1.0", nonce="n", mpy="6.3", arch=arch))
        assert bundle is not None
        assert bundle.version == "0.9.0"
        assert bundle.architecture == (arch if arch != "armv7m" else "")
        lines = bundle.data.split(b"\n", 1)[0]
        assert lines.split(b" ")[0] == (b"boards/esp32.mpy" if bundle.mpy else b"boards/esp32.py")
        assert not re.search(rb"^(main|boot)\.py \d+ [0-9a-f]{64}$", bundle.data, re.MULTILINE)
        assert b"0.9.0" in bundle.data


def test_the_version_of_the_package_is_that_of_the_update(tmp_path: Path) -> None:
    assert run("--folder", "here")[0] == 0
    version = json.loads((FIRMWARE / "package.json").read_text())["version"]
    assert json.loads((tmp_path / "here" / "latest.json").read_text())["version"] == version


def test_force_is_told_to_relay_and_owner(tmp_path: Path) -> None:
    code, output = run("--force")
    assert code == 0
    assert '"update": "any"' in output
    assert json.loads((tmp_path / "updates" / "latest.json").read_text())["force"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--version", "1.2"), "--version 1.2.3"),
        (("--firmware", "nowhere"), "--firmware"),
        (("--folder", "file/updates"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "file").write_text("")
    code, output = run(*arguments)
    assert code == 1
    assert said in output
    assert output.startswith("doll update: ")
    assert len(output.splitlines()) == 1
    assert not (tmp_path / "updates").exists()


def test_a_fault_in_the_firmware_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    (folder / "doll").mkdir(parents=True)
    (folder / "main.py").write_text("")
    (folder / "package.json").write_text('{"version": "1.0.0"}')
    (folder / "doll" / "broken.py").write_text("def f(:\n")
    code, output = run("--firmware", str(folder))
    assert code == 1
    assert "doll/broken.py, 1" in output


def test_it_speaks_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "인형" in run()[1]
