"""What the owner's page shows of one doll: its firmware, voice, recordings, and past turns."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from relay.devices.bundle import Bundle, pack
from relay.devices.shelf import Shelf, publish
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording
from tests.browser import chromium
from tests.browser.owner import owner_page
from tests.browser.plain_doll import plain_doll
from tests.fakes.relay import Relay, running
from tests.fakes.voice_server import shelf_with

try:
    from playwright.async_api import Page, expect
except ImportError:  # the dev extra is not installed
    pytest.skip("playwright is missing", allow_module_level=True)

DOLL = "24:6f:28:00:00:01"

expect.set_options(timeout=30_000)


@pytest.fixture
def browser() -> chromium.Chromium:
    found = chromium.find()
    if found is None:
        pytest.skip("NO CHROMIUM: the page / is not tested; python -m tests.browser.chromium")
    return found


async def axe(page: Page) -> list[str]:
    """What is wrong with the page as it stands, for people who do not see it well."""
    from axe_playwright_python.async_playwright import Axe

    found = (await Axe().run(page)).response["violations"]
    return [f"{f['id']}: {f['nodes'][0]['html']}" for f in found if f["impact"] != "minor"]


async def on_shelf(relay: Relay, folder: Path, version: str) -> Bundle:
    """Have the relay offer this version when somebody presses the button."""
    bundle = Bundle(version, "", "", 1, pack([("doll/start.py", b"x" * 8_000)]))
    publish(folder, [bundle])
    relay.services.shelf = relay.services.shelf or Shelf(folder, automatic=False)
    await relay.services.shelf.look()
    return bundle


async def test_an_update_is_asked_for_and_followed_to_its_end(
    browser: chromium.Chromium, tmp_path: Path
) -> None:
    async with running() as relay:
        bundle = await on_shelf(relay, tmp_path, "0.2.0")
        token = await relay.token(DOLL)
        async with (
            plain_doll(relay.url, DOLL, token) as doll,
            owner_page(browser, relay) as page,
        ):
            await expect(page.locator("article.doll .news")).to_contain_text("새 펌웨어 0.2.0")
            await page.locator("article.doll button").click()
            part = page.locator("dialog .firmware")
            await expect(part).to_contain_text("0.1.0 · esp32-s3")
            assert not any(text["type"] == "update" for text in doll.texts)
            await part.locator("button").click()
            offer = await doll.until(type="update")
            assert '"version":"0.2.0"' in offer["manifest"]
            await doll.send(type="update", state="get", offset=len(bundle.data) // 2)
            await expect(part.locator("progress")).to_have_attribute("value", "50")
            assert await axe(page) == []
            await doll.send(type="update", state="failed", reason="full")
            await expect(part).to_contain_text("남은 자리가 모자라요")
            await expect(part.locator("button")).to_be_visible()
            await doll.send(type="update", state="installed")
            await expect(part).to_contain_text("다시 켜지고 있어요")
            await expect(part.locator("button")).to_be_hidden()


async def test_a_doll_that_is_away_says_what_is_possible(browser: chromium.Chromium) -> None:
    async with running() as relay, owner_page(browser, relay, locale="en-US") as page:
        await relay.registry.issue(DOLL, name="ChaCha")
        await page.locator("article.doll button").click()
        await expect(page.locator("dialog .firmware")).to_contain_text("when it is on")
        await expect(page.locator("dialog .firmware button")).to_be_hidden()


async def test_an_instruction_is_seen_and_changed(browser: chromium.Chromium) -> None:
    async with running() as relay, owner_page(browser, relay) as page:
        await relay.registry.issue(DOLL)
        await relay.registry.change(DOLL, instruction="해적처럼 말해.")
        await page.locator("article.doll button").click()
        text = page.locator("dialog textarea")
        await expect(text).to_have_value("해적처럼 말해.")
        assert await axe(page) == []
        await text.fill("선생님처럼 말해.")
        await page.locator("dialog form", has=page.locator("textarea")).locator("button").click()
        await expect(page.locator("#said")).to_have_text("저장했어요.")
        assert (await relay.registry.find(DOLL)).instruction == "선생님처럼 말해."


async def test_a_voice_is_heard_and_chosen(browser: chromium.Chromium) -> None:
    async with running() as relay, owner_page(browser, relay, "voices") as page:
        relay.tts.seconds_per_clause = 0.2
        shelf_with(relay.data)
        await relay.registry.issue(DOLL)
        voice = page.locator("[data-voice='high']")
        async with page.expect_response(re.compile("voices/listen")) as answer:
            await voice.locator("button").first.click()
        heard = await answer.value
        assert (heard.status, heard.headers["content-type"]) == (200, "audio/wav")
        await expect(voice.locator("button").first).to_be_enabled()  # it plays
        await expect(page.locator("#said.wrong")).to_have_count(0)
        assert [call.voice for call in relay.tts.calls] == ["high"]
        await expect(page.locator("[data-voice='own:jinju'] .dim")).to_contain_text("우리 집")
        assert await axe(page) == []
        await voice.locator("button", has_text="이 목소리로").click()
        await expect(voice.locator(".badge")).to_have_text("지금 목소리")
        assert (await relay.registry.find(DOLL)).settings["voice"] == "high"
        await expect(page.locator("article").first).to_have_attribute("data-voice", "high")


async def test_recordings_are_played_and_deleted(browser: chromium.Chromium) -> None:
    async with running() as relay:
        await relay.registry.issue(DOLL)
        shelf = Recordings.of(relay.services.settings)
        for number in range(2):
            sound = Recording(DOLL, 1_800_000_000.0 + number, np.ones(8_000, np.int16), 24_000)
            sound.transcript, sound.subtitles = f"질문 {number}", ["흥."]
            sound.answer = [np.ones(12_000, np.int16)]
            shelf.save(sound)
        async with owner_page(browser, relay, "memory") as page:
            card = page.locator(".recordings")
            await expect(card.locator("li")).to_have_count(2)
            await expect(card.locator(".heard").first).to_have_text("질문 1")
            sound_of = card.locator("audio").nth(1)
            await sound_of.evaluate("(audio) => audio.play()")
            assert await sound_of.evaluate("(audio) => audio.duration") == pytest.approx(0.5)
            assert await axe(page) == []
            await card.locator("li button").first.click()
            await expect(card.locator("li")).to_have_count(1)
            assert len(shelf.list(DOLL)) == 1
            await card.locator("button.danger").click()
            await card.locator("button.danger").click()
            await expect(card).to_be_hidden()
            assert shelf.list() == []


async def test_how_past_turns_went_is_shown_after_a_restart(browser: chromium.Chromium) -> None:
    async with running() as relay:
        relay.tts.seconds_per_clause, relay.tts.first_delay_s = 0.2, 0.1
        token = await relay.token(DOLL)
        async with plain_doll(relay.url, DOLL, token) as doll:
            await doll.ask()
        await relay.dolls.memory.flush()
        relay.services.live.turns.clear()  # as a relay that has just started
        async with owner_page(browser, relay, "talk") as page:
            await expect(page.locator(".falls strong")).to_have_text(re.compile("초 만에 대답"))
            await page.click("nav a[href='#memory']")
            past = page.locator(".history details")
            await past.locator("summary").click()
            await expect(past.locator(".fall span").first).to_be_visible()
            await expect(past).to_contain_text("목소리 만들기")
            assert await axe(page) == []


async def test_a_doll_that_is_deleted_on_the_page_is_gone_with_its_recordings(
    browser: chromium.Chromium,
) -> None:
    async with running() as relay, owner_page(browser, relay) as page:
        await relay.registry.issue(DOLL)
        shelf = Recordings.of(relay.services.settings)
        shelf.save(Recording(DOLL, 1_800_000_000.0, np.ones(8_000, np.int16), 24_000))
        await page.locator("article.doll button").click()
        forget = page.locator("dialog button.danger").last
        await forget.click()
        await forget.click()
        await expect(page.locator("article.doll")).to_have_count(0)
        assert (shelf.list(), await relay.registry.all()) == ([], [])
