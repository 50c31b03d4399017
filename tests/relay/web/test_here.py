"""What proves that a browser is on the relay's own machine: a ticket, once, and not for long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from relay.web.here import GOOD_S, HERE_PATH, TICKET, Here, leave_ticket
from tests.relay.web.conftest import Make, Site


def test_a_ticket_is_taken_once(tmp_path: Path) -> None:
    here = Here(tmp_path)
    ticket = leave_ticket(tmp_path)
    assert (tmp_path / TICKET).stat().st_mode & 0o777 == 0o600
    assert not here.take("")
    assert not here.take(ticket[:-1])
    assert here.take(ticket)
    assert not here.take(ticket)


def test_only_the_newest_ticket_is_good_and_not_for_long(tmp_path: Path) -> None:
    here = Here(tmp_path)
    old, new = leave_ticket(tmp_path), leave_ticket(tmp_path)
    assert not here.take(old)
    past = time.time() - GOOD_S - 1
    os.utime(tmp_path / TICKET, (past, past))
    assert not here.take(new)


async def test_an_address_of_this_machine_alone_makes_nobody_the_owner(make_site: Make) -> None:
    """So a proxy comes that adds no header, whoever it asks for."""
    site: Site = await make_site()
    for name in ("http://localhost:8000", "http://127.0.0.1:8000"):
        anybody = await site.browser(name)
        await anybody.get(f"{HERE_PATH}{'x' * 43}")
        anybody.cookies.set("doll-here", "x" * 43)
        assert (await anybody.post("/api/login", json={})).status_code == 403


@pytest.mark.parametrize("to", ["", "doll/"])
async def test_the_link_leads_to_a_page_of_ours(make_site: Make, to: str) -> None:
    site: Site = await make_site()
    browser = await site.browser()
    link = HERE_PATH + leave_ticket(site.data)
    answer = await browser.get(link, params={"to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{to}")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    again = await browser.get(link, params={"to": "//evil.example"})
    assert again.status_code == 422
