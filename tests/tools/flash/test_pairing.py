"""The doll's token at installation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from relay.config import RelaySettings
from tests.tools.flash.conftest import Installs, RecordingPerson
from tools.flash.pairing import token_for
from tools.pairing import is_good, is_here, issue, opened

DOLL = "24:6f:28:00:00:01"
HERE, ELSEWHERE = "ws://127.0.0.1:8000/xiaozhi/v1/", "ws://192.0.2.1:8000/xiaozhi/v1/"


@pytest.fixture
def relay(tmp_path: Path) -> RelaySettings:
    """Those of a relay that was started in the working directory, once."""
    settings = RelaySettings(data=tmp_path / "data")

    async def start() -> None:
        async with opened(settings):
            pass

    asyncio.run(start())
    return settings


def ask(url: str = HERE, *, dry_run: bool = False, **values: Any) -> tuple[str | None, list[str]]:
    person = RecordingPerson()
    return token_for(DOLL, url, values, person, dry_run=dry_run), list(person.told)


def good(relay: RelaySettings, token: str) -> bool:
    return asyncio.run(is_good(relay, DOLL, token))


def test_the_relay_here_gives_a_token_that_counts(relay: RelaySettings) -> None:
    token, told = ask()
    assert token is not None
    assert good(relay, token)
    assert told == ["paired"]


def test_a_token_that_counts_is_kept_and_one_that_does_not_is_replaced(
    relay: RelaySettings,
) -> None:
    token, _ = ask()
    assert token is not None
    assert ask(token=token) == (None, [])
    assert good(relay, token)
    new, _ = ask(token="of another relay")
    assert new is not None
    assert good(relay, new)


def test_a_dry_run_registers_nobody(relay: RelaySettings) -> None:
    assert ask(dry_run=True) == (None, ["would_pair"])

    async def names() -> list[str]:
        async with opened(relay) as registry:
            return [record.name for record in await registry.all()]

    assert asyncio.run(names()) == []


def test_a_relay_elsewhere_and_one_that_never_ran_are_not_asked(
    relay: RelaySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(ELSEWHERE) == (None, [])
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert ask() == (None, [])
    assert list(folder.iterdir()) == []


def test_a_database_that_cannot_be_used_does_not_stop_the_installation(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "doll.db").write_text("no database " * 100)
    assert ask() == (None, ["not_paired"])


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("ws://127.0.0.1:8000/", True),
        ("ws://[::1]:8000/", True),
        ("ws://localhost:8000/", True),
        ("ws://192.0.2.1/", False),
        ("ws://no-such-host.invalid/", False),
        ("ws:///", False),
    ],
)
def test_an_address_is_known_as_ones_own(url: str, here: bool) -> None:
    assert is_here(url) is here


async def test_an_installation_puts_the_token_on_the_board(
    installs: Installs, settings: Any, tmp_path: Path
) -> None:
    relay = RelaySettings(data=tmp_path / "data")
    await issue(relay, "another")
    person = await installs(ready_limit_s=20.0)
    values = await settings()
    assert await is_good(relay, DOLL, values["token"])
    assert values["token"] not in "\n".join([*person.said, *person.details])
