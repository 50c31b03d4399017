from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.web.tls import Certificate
from tools.cli import app


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOLL_RELAY__DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    return tmp_path / "data"


def test_it_makes_a_certificate_that_the_relay_can_use(data: Path) -> None:
    result = CliRunner().invoke(app, ["certificate", "192.168.1.2", "doll.local"])
    assert result.exit_code == 0, result.output
    files = data / "tls" / "certificate.pem", data / "tls" / "key.pem"
    Certificate(*files)
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600
    assert f"doll flash --relay wss://192.168.1.2:8000 --ca {files[0]}" in result.output
    assert files[1].read_text() not in result.output


def test_it_replaces_none_unless_told_to(data: Path) -> None:
    CliRunner().invoke(app, ["certificate", "192.168.1.2"])
    before = (data / "tls" / "key.pem").read_bytes()
    result = CliRunner().invoke(app, ["certificate", "192.168.1.2"])
    assert result.exit_code == 1
    assert "is there already" in result.output
    assert (data / "tls" / "key.pem").read_bytes() == before
    assert CliRunner().invoke(app, ["certificate", "192.168.1.2", "--force"]).exit_code == 0
    assert (data / "tls" / "key.pem").read_bytes() != before


@pytest.mark.parametrize("name", ["", "a b", "https://x", "x..y", "인형.local", "192.168.1.2:8000"])
def test_what_is_no_name_is_refused(data: Path, name: str) -> None:
    result = CliRunner().invoke(app, ["certificate", name])
    assert result.exit_code == 1
    assert "is no address and no name" in result.output
    assert not (data / "tls").exists()


def test_without_names_it_takes_this_machine_s(data: Path) -> None:
    result = CliRunner().invoke(app, ["certificate"])
    assert result.exit_code == 0
    assert "127.0.0.1" in result.output
