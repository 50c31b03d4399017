"""What a doll is told to be, and who may write to it in Telegram, by the owner's page."""

from __future__ import annotations

from relay.dolls import Dolls
from relay.store.database import Database
from relay.telegram.people import People
from tests.relay.web.conftest import PASSWORD, Make, Site

DOLL = "30:ed:a0:12:34:56"
TOKEN = "1234:" + "A" * 30


async def test_an_instruction_is_shown_changed_and_taken_back(site: Site) -> None:
    dolls: Dolls = site.app.state.dolls
    await dolls.registry.issue(DOLL)
    await dolls.registry.change(DOLL, instruction="해적처럼 말해.")  # in Telegram, say
    owner = await site.signed_in()
    path = f"/api/devices/{DOLL}/instruction"
    assert (await owner.get(path)).json() == {"instruction": "해적처럼 말해."}
    told = await owner.put(path, json={"instruction": "선생님처럼 말해."})
    assert told.json() == {"instruction": "선생님처럼 말해."}
    assert (await dolls.registry.find(DOLL)).instruction == "선생님처럼 말해."
    await owner.put(path, json={"instruction": ""})
    assert (await dolls.registry.find(DOLL)).instruction == ""
    too_long = await owner.put(path, json={"instruction": "가" * 8_001})
    unseen = await owner.put(path, json={"instruction": "a\x00b"})
    assert (too_long.status_code, unseen.status_code) == (422, 422)
    assert (await owner.get("/api/devices/nobody/instruction")).status_code == 404


async def test_only_the_owner_sees_it(site: Site) -> None:
    browser = await site.browser()
    for path in (f"/api/devices/{DOLL}/instruction", "/api/telegram"):
        assert (await browser.get(path)).status_code == 401
    assert (await browser.post("/api/telegram/codes")).status_code in (401, 403)


async def test_a_code_lets_one_person_in_who_can_be_removed(make_site: Make) -> None:
    site: Site = await make_site(telegram={"token": TOKEN})
    await site.admin.set_password(PASSWORD)
    owner = await site.signed_in()
    made = (await owner.post("/api/telegram/codes")).json()
    assert made["minutes"] == 15
    database = await Database.open(site.data)
    people = People(database)
    assert await people.link(made["code"], 42, "진주")
    assert not await people.link(made["code"], 43, "남")  # good once
    assert (await owner.get("/api/telegram")).json() == {
        "on": True,
        "people": [{"id": 42, "name": "진주"}],
    }
    assert (await owner.delete("/api/telegram/people/42")).status_code == 204
    assert not await people.may_write(42, "")
    assert (await owner.delete("/api/telegram/people/42")).status_code == 404
    await database.close()


async def test_without_a_bot_there_is_no_code(site: Site) -> None:
    owner = await site.signed_in()
    assert (await owner.get("/api/telegram")).json()["on"] is False
    assert (await owner.post("/api/telegram/codes")).status_code == 409
