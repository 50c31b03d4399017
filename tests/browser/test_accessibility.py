"""The page for people who do not see it, cannot hold a button, or want nothing to move."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenDoll
from tests.browser.doll import Speech
from tests.fakes.relay import running


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(open_doll: OpenDoll, scheme: str) -> None:
    from axe_playwright_python.async_playwright import Axe

    async with (
        running(pairing={"browser_here": False}) as relay,
        open_doll(relay, paired=False, color_scheme=scheme) as doll,
    ):
        # axe is given to the page from outside: the page's own policy would not let it in
        serious = [await _findings(Axe(), doll)]
        await doll.page.click("#talk")
        await doll.page.locator("#code:not(:empty)").wait_for()
        serious.append(await _findings(Axe(), doll))
        assert serious == [[], []]


async def _findings(axe, doll) -> list[str]:
    found = (await axe.run(doll.page)).response["violations"]
    return [f"{f['id']}: {f['nodes'][0]['html']}" for f in found if f["impact"] != "minor"]


async def test_the_enter_key_is_a_tap(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay, hears=Speech(1.0, 2.0)) as doll:
        relay.tts.seconds_per_clause = 3.0  # a busy browser is looked at seldom
        await doll.page.focus("#talk")
        await doll.page.keyboard.press("Enter")
        await doll.state("idle")
        await doll.page.keyboard.press("Enter")
        await doll.state("speaking")
        assert doll.texts("listen", sent=True, state="start")[-1]["mode"] == "auto"


async def test_the_face_is_described_in_words(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        relay.tts.seconds_per_clause = 0.3
        assert await doll.page.text_content("#face-name") == "차차: 자고 있어요"
        relay.llm.pieces = ['{"emotion": "happy"}', "기뻐."]
        await doll.wake()
        assert await doll.page.text_content("#face-name") == "차차: 깨어 있어요"


async def test_nothing_moves_by_itself_where_that_is_not_wanted(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay, reduced_motion="reduce") as doll:
        await doll.wake()
        assert await doll.page.evaluate("document.getAnimations().length") == 0
