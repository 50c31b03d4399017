"""The fields of a persona on the owner's page."""

from __future__ import annotations

import pytest

from tests.browser import chromium
from tests.browser.owner import owner_page
from tests.browser.test_care import axe
from tests.browser.test_care import browser as browser
from tests.fakes.relay import running

try:
    from playwright.async_api import expect
except ImportError:  # the dev extra is not installed
    pytest.skip("playwright is missing", allow_module_level=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_fields_and_text_of_a_persona_are_one(
    browser: chromium.Chromium, scheme: str
) -> None:
    async with (
        running() as relay,
        owner_page(browser, relay, "personas", color_scheme=scheme) as page,
    ):
        await page.locator("article", has_text="chacha ·").locator("button").click()
        owner = page.get_by_label("주인 이름")
        await expect(owner).to_have_value("진주")
        await owner.fill("보라")
        await page.get_by_label("꼭 지킬 것").fill("한 문장으로 말해.\n거짓말하지 마.")
        await page.locator("details", has_text="조용한 시간").locator("summary").click()
        await page.get_by_label("조용한 시간 두기").check()
        await page.locator("details", has_text="불빛 색").locator("summary").click()
        assert await axe(page) == []
        await page.locator(".tabs button").last.click()
        area = page.locator("textarea.code")
        text = await area.input_value()
        assert 'owner = "보라"' in text
        assert "거짓말하지 마." in text
        assert "from = 22:30:00" in text
        assert "# The light's colours" in text
        await area.fill(text.replace('owner = "보라"', 'owner = "하늘"  # mine'))
        await page.locator(".tabs button").first.click()
        await expect(owner).to_have_value("하늘")
        name = page.get_by_label("인형 이름")
        await name.fill("")
        await page.locator(".card form button.main").first.click()
        await expect(name).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#wrong-name")).to_contain_text("`name`")
        await name.fill("모모")
        await owner.fill("바다")
        await page.locator(".card form button.main").first.click()
        await expect(page.locator("#said")).to_contain_text("저장했어요")
        kept = (relay.data / "personas" / "chacha.toml").read_text(encoding="utf-8")
        assert 'owner = "바다"  # mine' in kept
