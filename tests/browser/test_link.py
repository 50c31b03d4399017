"""What a browser does when its link is lost, refused, or taken over by another tab."""

from __future__ import annotations

from urllib.parse import urljoin

import numpy as np

from relay.audio import FRAME_SAMPLES
from relay.web.here import HERE_PATH, leave_ticket
from tests.browser.conftest import OpenDoll
from tests.browser.doll import DEVICE
from tests.browser.hearing import follow
from tests.fakes.relay import running
from tools.simulator.network import Network


async def test_an_answer_goes_on_after_a_lost_link_with_every_sample_once(
    open_doll: OpenDoll,
) -> None:
    network = Network()
    async with (
        running() as relay,
        network.between(relay.url) as url,
        open_doll(relay, url=url) as doll,
    ):
        await doll.wake()
        doll.received.clear()
        await doll.forget_heard()
        calls = len(relay.tts.calls)
        await doll.ask()
        await doll.until(lambda: len(doll.frames(doll.received)) > 30)
        network.drop()
        await doll.until(lambda: doll.texts("hello", resumed=True))
        await doll.state("idle")
        report = doll.texts("report", sent=True)[-1]
        assert report["frames_played"] == len(doll.frames(doll.received)) == 79
        spoken = np.concatenate(relay.tts._chunks() * (len(relay.tts.calls) - calls))
        spoken = np.pad(spoken, (0, -len(spoken) % FRAME_SAMPLES))
        assert np.array_equal(await doll.given(), spoken)
        assert follow(await doll.heard(), spoken)
        assert await doll.trouble() == ""


async def test_without_a_relay_it_says_so_and_comes_back_by_itself(open_doll: OpenDoll) -> None:
    network = Network()
    async with (
        running() as relay,
        network.between(relay.url) as url,
        open_doll(relay, url=url) as doll,
    ):
        relay.tts.seconds_per_clause = 0.3
        await doll.wake()
        network.is_up = False
        network.drop()
        await doll.state("away")
        assert "연결이 끊겼어요" in await doll.trouble()
        network.is_up = True
        await doll.state("idle")
        assert await doll.trouble() == ""
        await doll.ask()
        await doll.state("speaking")


async def test_a_second_tab_takes_over_and_the_first_stays_away(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.wake()
        other = await doll.page.context.new_page()
        await other.goto(doll.page.url)
        await other.click("#talk")
        await doll.state("asleep")
        assert "다른 탭" in await doll.trouble()
        await doll.page.click("#talk")
        await doll.until(lambda: len(doll.texts("hello")) == 2)
        await doll.state("idle")


async def test_a_browser_that_is_sent_away_asks_for_a_new_number(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.wake()
        await relay.registry.revoke(DEVICE)
        await doll.state("asleep")
        assert "주인이" in await doll.trouble()
        await doll.page.click("#talk")
        await doll.page.locator("#code:not(:empty)").wait_for()


async def test_a_relay_that_takes_no_new_dolls_says_so_in_words(open_doll: OpenDoll) -> None:
    async with (
        running(pairing={"new_dolls": False}) as relay,
        open_doll(relay, paired=False) as doll,
    ):
        await doll.page.click("#talk")
        await doll.until(lambda: doll.urls)
        await doll.page.locator("#trouble:not([hidden])").wait_for()
        assert "pairing.new_dolls" in await doll.trouble()
        assert await doll.page.get_attribute("body", "data-state") == "asleep"


async def test_on_the_relays_own_machine_it_is_paired_by_itself(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay, paired=False) as doll:
        relay.tts.seconds_per_clause = 0.3
        await doll.page.goto(urljoin(doll.page.url, HERE_PATH + leave_ticket(relay.data)))
        await doll.page.click("#talk")
        await doll.until(lambda: len(doll.texts("hello")) == 2)
        await doll.state("idle")
        assert not doll.texts("alert")
        await doll.ask()
        await doll.state("speaking")
        [record] = await relay.registry.all()
        assert record.id.startswith("web-")


async def test_elsewhere_it_shows_a_number_and_waits_for_its_owner(open_doll: OpenDoll) -> None:
    async with (
        running(pairing={"browser_here": False}) as relay,
        open_doll(relay, paired=False) as doll,
    ):
        relay.tts.seconds_per_clause = 0.3
        await doll.page.click("#talk")
        await doll.page.locator("#code:not(:empty)").wait_for()
        code = await doll.page.inner_text("#code")
        assert await doll.page.inner_text("#command") == f"doll pair {code.replace(' ', '')}"
        await relay.dolls.pairing.confirm(code, source="cli")
        await doll.until(lambda: len(doll.texts("hello")) == 2)
        await doll.page.locator("#pairing").wait_for(state="hidden")
        await doll.state("idle")
        token = doll.texts("token")[0]["token"]
        assert all(token not in url for url in doll.urls)


async def test_an_installed_page_opens_without_its_relay(open_doll: OpenDoll) -> None:
    network = Network()
    async with (
        running() as relay,
        network.between(relay.url) as url,
        open_doll(relay, url=url, service_workers="allow") as doll,
    ):
        await doll.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await doll.page.reload()
        network.is_up = False
        network.drop()
        await doll.page.reload()
        await doll.page.locator("#talk-label:not(:empty)").wait_for()
        kept = await doll.page.evaluate(
            "caches.open('doll-1').then(c => c.keys()).then(all => all.map(r => r.url))"
        )
        assert all("/doll/" in address for address in kept)
        doll.faults.clear()  # the browser complains of a relay that is not there


async def test_at_an_address_without_a_microphone_it_says_what_to_do(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.page.add_init_script(
            "Object.defineProperty(window, 'isSecureContext', {value: false})"
        )
        await doll.page.reload()
        await doll.page.click("#talk")
        await doll.page.locator("#trouble:not([hidden])").wait_for()
        assert "https://" in await doll.trouble()
        assert not doll.urls
