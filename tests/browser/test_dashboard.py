"""The owner's page in a real browser."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.persona.personas import Personas
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import QuotaSettings
from relay.quota.store import MemoryStore
from relay.web.here import HERE_PATH, leave_ticket
from tests.browser import chromium
from tests.browser.owner import PASSWORD, home, owner_page
from tests.browser.plain_doll import plain_doll
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.relay import Relay, running

try:
    from playwright.async_api import Page, expect
except ImportError:  # the dev extra is not installed
    pytest.skip("playwright is missing", allow_module_level=True)

DOLL = "24:6f:28:00:00:01"
MODEL = "gemini-3-flash"

expect.set_options(timeout=30_000)


@pytest.fixture
def browser() -> chromium.Chromium:
    found = chromium.find()
    if found is None:
        pytest.skip("NO CHROMIUM: the page / is not tested; python -m tests.browser.chromium")
    return found


def with_quota(relay: Relay) -> FakeMeteredModel:
    """Let the doll be answered by a model whose requests are counted."""
    model = FakeMeteredModel(MODEL)
    quota = Scheduler(MemoryStore(), QuotaSettings(), Pacing(ZoneInfo("Asia/Seoul")))
    relay.services.brain = Chain([Link(model, quota, "gemini")], tail=relay.services.brain.tail)
    return model


async def test_only_who_knows_the_password_gets_in_and_out_again(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay, owner_page(browser, relay, sign_in=False) as page:
        await page.fill("input[type=password]", "not the password")
        await page.keyboard.press("Enter")
        await expect(page.locator("[role=alert]")).to_have_text("비밀번호가 달라요.")
        assert await page.locator("nav").is_hidden()
        await page.fill("input[type=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("main h2")).to_have_text("인형")
        await page.click("#language")
        await expect(page.locator("main h2")).to_have_text("Dolls")
        await page.click("#logout")
        await expect(page.locator("input[type=password]")).to_be_visible()


async def test_without_a_password_a_ticket_of_this_machine_lets_one_in(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay, owner_page(browser, relay, password=False) as page:
        await expect(page.locator("main")).to_contain_text("doll open --owner")
        await page.goto(f"{home(relay).rstrip('/')}{HERE_PATH}{leave_ticket(relay.data)}?to=")
        await expect(page.locator("main h2")).to_have_text("인형")
        assert await page.locator("#logout").is_hidden()


async def test_a_doll_is_paired_by_the_code_that_it_says_and_cared_for(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay, owner_page(browser, relay) as page:
        async with plain_doll(relay.url, DOLL) as stranger:
            pending = await relay.dolls.pairing.of(DOLL, f"c-{DOLL}")
            assert pending is not None
            await page.click("main button.main")
            await page.fill("dialog input >> nth=0", f"{pending.code[:3]} {pending.code[3:]}")
            await page.fill("dialog input >> nth=1", "차차")
            await page.click("dialog button.main")
            card = page.locator("article.doll")
            await expect(card.locator("h3")).to_have_text("차차")
            token = (await stranger.until(type="token"))["token"]
        async with plain_doll(relay.url, DOLL, token) as doll:
            await expect(card).to_have_attribute("data-state", "idle")
            await expect(card).to_contain_text("84%")
            await card.locator("button").click()
            await page.locator("input[type=range]").fill("25")
            await expect(card).to_contain_text("25%")
            assert doll.volume == 25


async def test_what_is_said_is_seen_at_once_and_the_quota_moves(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay:
        with_quota(relay)
        relay.tts.seconds_per_clause = 0.3
        token = await relay.token(DOLL)
        async with (
            plain_doll(relay.url, DOLL, token) as doll,
            owner_page(browser, relay, "talk") as page,
        ):
            await doll.ask()
            await expect(page.locator(".talk .heard")).to_have_text("안녕")
            await expect(page.locator(".talk .said")).to_have_text("구름 위에서 대답해.")
            await expect(page.locator(".falls strong")).to_have_text(re.compile("초 만에 대답"))
            await page.click("nav a[href='#relay']")
            gauge = page.locator(f"[data-model='{MODEL}'] [role=meter]").first
            await expect(gauge).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
            before = int(await gauge.get_attribute("aria-valuenow") or 0)
            await doll.ask()
            await expect(gauge).to_have_attribute("aria-valuenow", str(before - 1))


async def test_a_persona_that_is_edited_counts_from_the_next_turn(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay:
        relay.tts.seconds_per_clause = 0.3
        model = with_quota(relay)
        relay.services.personas = Personas(relay.services.settings.personas_folder)
        await relay.registry.issue(DOLL, persona="chacha")
        token = await relay.registry.issue(DOLL)
        async with (
            plain_doll(relay.url, DOLL, token) as doll,
            owner_page(browser, relay, "personas") as page,
        ):
            await doll.ask()
            assert model.requests[-1].persona.owner == "진주"
            await page.locator("article", has_text="chacha ·").locator("button").click()
            await page.locator(".tabs button").last.click()
            area = page.locator("textarea.code")
            text = await area.input_value()
            await area.fill(text.replace('owner = "진주"', "owner = 진주"))
            await page.click("form button.main >> nth=0")
            await expect(page.locator("form [role=alert]")).to_contain_text("chacha.toml")
            await area.fill(text.replace('owner = "진주"', 'owner = "보라"'))
            await page.click("form button.main >> nth=0")
            await expect(page.locator("#said")).to_contain_text("저장했어요")
            await doll.ask()
            assert model.requests[-1].persona.owner == "보라"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(browser: chromium.Chromium, scheme: str) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with running() as relay:
        with_quota(relay)
        relay.tts.seconds_per_clause = 0.3
        token = await relay.token(DOLL)
        async with (
            plain_doll(relay.url, DOLL, token) as doll,
            owner_page(browser, relay, color_scheme=scheme) as page,
        ):
            await doll.ask()
            for view in ("dolls", "talk", "memory", "personas", "voices", "relay"):
                await page.click(f"nav a[href='#{view}']")
                await page.locator("main .card").first.wait_for()
                assert await _serious(Axe(), page) == [], view
            await page.click("nav a[href='#dolls']")
            await page.locator("article.doll button").click()
            await page.locator("dialog form").first.wait_for()
            assert await _serious(Axe(), page) == []


async def _serious(axe, page: Page) -> list[str]:
    found = (await axe.run(page)).response["violations"]
    return [f"{f['id']}: {f['nodes'][0]['html']}" for f in found if f["impact"] != "minor"]
