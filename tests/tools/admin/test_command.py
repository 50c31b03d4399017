from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.devices.settings import PairingSettings
from relay.store.database import Database
from relay.web.auth import Admin
from relay.web.settings import AdminSettings
from tools.cli import app


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOLL_RELAY__DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    return tmp_path / "data"


def doll(*arguments: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["admin", *arguments], input=given)
    return result.exit_code, result.output


async def logged_in(data: Path, password: str) -> str:
    database = await Database.open(data)
    try:
        return await Admin(database, AdminSettings(), PairingSettings()).login(password, source="x")
    finally:
        await database.close()


async def still_in(data: Path, login: str) -> bool:
    database = await Database.open(data)
    try:
        return await Admin(database, AdminSettings(), PairingSettings()).check(login)
    finally:
        await database.close()


def test_the_password_is_read_from_standard_input_and_counts(data: Path) -> None:
    code, output = doll("password", given="진주와 차차의 비밀\n")
    assert code == 0, output
    assert "비밀" not in output
    login = asyncio.run(logged_in(data, "진주와 차차의 비밀"))
    assert asyncio.run(still_in(data, login))
    assert doll("logout")[0] == 0
    assert not asyncio.run(still_in(data, login))


def test_a_short_password_is_refused_in_one_line(data: Path) -> None:
    code, output = doll("password", given="short\n")
    assert code == 1
    assert output == "doll admin password: A password has 8 to 256 characters.\n"
