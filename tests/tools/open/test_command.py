"""`doll open` against a relay: its link lets a browser in, as a doll or as the owner."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from tests.fakes.relay import running
from tools.cli import app


@pytest.mark.parametrize(("flags", "page"), [([], "/doll/"), (["--owner"], "/")])
async def test_its_link_lets_the_browser_in(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], page: str
) -> None:
    async with running() as relay:
        monkeypatch.setenv("DOLL_RELAY__DATA", str(relay.data))
        port = str(urlsplit(relay.url).port)
        said = CliRunner().invoke(app, ["open", "--show", "--port", port, *flags])
        assert said.exit_code == 0, said.output
        link = said.output.split()[-1]
        async with httpx2.AsyncClient(base_url=f"http://localhost:{port}") as browser:
            answer = await browser.get(link)
            assert answer.headers["location"] == page
            assert (await browser.post("/api/login", json={})).status_code == 200


def test_it_says_so_where_there_is_no_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOLL_RELAY__DATA", "/nowhere/at/all")
    said = CliRunner().invoke(app, ["open", "--show"])
    assert said.exit_code == 2
    assert "/nowhere/at/all" in said.output
