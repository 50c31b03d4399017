"""What `doll deploy` writes, what it refuses, and what it leaves alone."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from relay.config import load
from tools.cli import app
from tools.deploy.plan import Plan, PlanError

DOMAIN = "doll.example.com"
SECRET = "etc/doll/doll.env"


def deploy(root: Path, *more: str) -> str:
    run = CliRunner().invoke(app, ["deploy", DOMAIN, "--root", str(root), *more])
    assert run.exit_code == 0, run.output
    return run.output


def snapshot(root: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        path.relative_to(root).as_posix(): (
            path.read_bytes(),
            stat.S_IMODE(path.stat().st_mode),
            path.stat().st_mtime_ns,
        )
        for path in root.rglob("*")
        if path.is_file()
    }


def unit(root: Path, name: str = "doll-relay.service") -> str:
    return (root / "etc/systemd/system" / name).read_text()


def test_only_its_owner_reads_the_key_and_no_command_line_has_one(tmp_path: Path) -> None:
    deploy(tmp_path)
    modes = {name: mode for name, (_, mode, _) in snapshot(tmp_path).items()}
    assert modes.pop(SECRET) == 0o600
    assert modes.pop("usr/local/bin/doll") == 0o755
    assert set(modes.values()) == {0o644}
    assert "EnvironmentFile=/etc/doll/doll.env" in unit(tmp_path)
    for name in ("doll-relay.service", "doll-backup.service"):
        assert not re.search(r"(?i)(key|token|password)\s*=", unit(tmp_path, name))


@pytest.mark.parametrize("flavour", ["cloud", "embedded"])
def test_the_settings_are_ones_that_the_relay_takes(
    tmp_path: Path, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path, "--flavour", flavour, "--port", "8123")
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    settings = load(tmp_path / "etc/doll/doll.toml")
    assert (settings.relay.host, settings.relay.port) == ("127.0.0.1", 8123)
    assert settings.relay.public_url == f"https://{DOMAIN}"
    assert settings.brain == "gemini"
    assert settings.tts.provider == ("edge" if flavour == "cloud" else "kokoro")
    assert "127.0.0.1:8123" in (tmp_path / "etc/caddy/Caddyfile").read_text()
    denied = "yes" if flavour == "cloud" else "no"
    assert f"\nMemoryDenyWriteExecute={denied}\n" in unit(tmp_path)


def test_a_second_time_nothing_changes(tmp_path: Path) -> None:
    deploy(tmp_path)
    before = snapshot(tmp_path)
    deploy(tmp_path, "--force")
    assert snapshot(tmp_path) == before


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert "/etc/caddy/Caddyfile" in deploy(tmp_path, "--dry-run")
    assert snapshot(tmp_path) == {}


def test_what_its_owner_has_changed_stays(tmp_path: Path) -> None:
    deploy(tmp_path)
    (tmp_path / SECRET).write_text("GEMINI_API_KEY=mine")
    (tmp_path / SECRET).chmod(0o644)
    caddy = tmp_path / "etc/caddy/Caddyfile"
    caddy.write_text("mine")
    assert "--force" in deploy(tmp_path)
    assert caddy.read_text() == "mine"
    deploy(tmp_path, "--force")
    assert DOMAIN in caddy.read_text()
    assert (tmp_path / SECRET).read_text() == "GEMINI_API_KEY=mine"
    assert stat.S_IMODE((tmp_path / SECRET).stat().st_mode) == 0o600


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    """A Caddyfile that a package has brought, as dpkg notes it."""
    caddy = tmp_path / "etc/caddy/Caddyfile"
    caddy.parent.mkdir(parents=True)
    caddy.write_text(":80\n")
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    md5 = hashlib.md5(b":80\n").hexdigest()
    status.write_text(
        "Package: caddy\nStatus: install ok installed\nConffiles:\n"
        f" /etc/caddy/Caddyfile.other 0\n /etc/caddy/Caddyfile {md5}\nDescription: a server\n"
    )
    return caddy


def test_the_web_server_s_example_is_nobody_s_work(tmp_path: Path, packaged: Path) -> None:
    deploy(tmp_path, "--dry-run")
    assert packaged.read_text() == ":80\n"
    said = deploy(tmp_path)
    assert "/etc/caddy/Caddyfile.packaged" in said
    assert "--force" not in said
    assert DOMAIN in packaged.read_text()
    assert packaged.with_name("Caddyfile.packaged").read_text() == ":80\n"
    before = snapshot(tmp_path)
    deploy(tmp_path)
    assert snapshot(tmp_path) == before


def test_a_packaged_file_that_its_owner_has_changed_stays(tmp_path: Path, packaged: Path) -> None:
    packaged.write_text(":80 { respond mine }\n")
    assert "--force" in deploy(tmp_path)
    assert "mine" in packaged.read_text()


@pytest.mark.parametrize(
    "domain",
    ["", "localhost", "1.2.3.4", "a..b", "-a.com", "a-.com", "a.com {", "a.com\nimport /etc/shadow",
     "$HOME.com", "%i.com", "a.com;rm", "*.com", "https://a.com", "a_b.com", "인형.com",
     "a" * 64 + ".com", ".".join(["a" * 60] * 5)],
)  # fmt: skip
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(PlanError, match="error_domain"):
        Plan(domain)


@pytest.mark.parametrize(
    "base", ["", "opt", "/", "/a b", "/a/../b", "/a//b", "/%h", "/a;b", "/$A", "/a\n/b", "/a/.b"]
)
def test_a_path_that_means_something_else_is_refused(base: str) -> None:
    with pytest.raises(PlanError, match="error_path"):
        Plan(DOMAIN, base)


@given(st.text(max_size=80))
def test_no_domain_brings_anything_but_itself_into_a_file(domain: str) -> None:
    try:
        plan = Plan(domain)
    except PlanError:
        return
    plain = {file.path: file.text.replace(domain, DOMAIN) for file in plan.files()}
    assert plain == {file.path: file.text for file in Plan(DOMAIN).files()}


def test_a_wrong_name_is_told_in_one_line() -> None:
    run = CliRunner().invoke(app, ["deploy", "a b"], env={"LC_ALL": "ko_KR.UTF-8"})
    assert run.exit_code == 1
    assert "도메인 이름이 아니에요" in run.output


def test_caddy_takes_its_file_and_would_not_format_it_otherwise(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("CADDY IS NOT TESTED: apt install caddy")
    deploy(tmp_path)
    file = tmp_path / "etc/caddy/Caddyfile"
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    subprocess.run(command, check=True, capture_output=True, env={"HOME": str(tmp_path)})
    formatted = subprocess.run([caddy, "fmt", str(file)], check=True, capture_output=True)
    assert formatted.stdout.decode() == file.read_text()


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("SYSTEMD'S UNITS ARE NOT TESTED: apt install systemd")
    return program


def test_systemd_takes_the_units(analyze: str, tmp_path: Path) -> None:
    base = tmp_path / "opt"
    program = base / "current" / "bin" / "doll"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", str(base)):
        pytest.skip("the temporary folder has a name that is no plain path")
    deploy(tmp_path, "--base", str(base))
    units = [str(path) for path in (tmp_path / "etc/systemd/system").iterdir()]
    checked = subprocess.run(
        [analyze, "verify", "--man=no", *units], check=False, capture_output=True, text=True
    )
    assert [line for line in checked.stderr.splitlines() if "doll-" in line] == []


@pytest.mark.parametrize(
    ("name", "most"), [("doll-relay.service", 1.5), ("doll-backup.service", 1)]
)
def test_systemd_counts_little_exposure(
    analyze: str, tmp_path: Path, name: str, most: float
) -> None:
    deploy(tmp_path)
    path = tmp_path / "etc/systemd/system" / name
    command = [analyze, "security", "--offline=true", "--no-pager", str(path)]
    said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found is not None
    assert float(found[1]) <= most
