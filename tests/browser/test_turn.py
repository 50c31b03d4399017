"""Whole turns in a real browser, against a real relay over real sockets."""

from __future__ import annotations

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES
from tests.browser.conftest import OpenDoll
from tests.browser.doll import Speech
from tests.browser.hearing import follow
from tests.fakes.relay import running


async def test_a_spoken_turn_and_every_sample_of_the_answer_is_heard(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.wake()
        doll.received.clear()
        await doll.forget_heard()
        calls = len(relay.tts.calls)
        await doll.ask()
        await doll.state("speaking")
        await doll.state("idle")
        await doll.until(lambda: doll.texts("report", sent=True, frames_played=79))
        spoken = np.concatenate(relay.tts._chunks() * (len(relay.tts.calls) - calls))
        answered = doll.answered()
        assert np.array_equal(answered[: len(spoken)], spoken)
        assert not answered[len(spoken) :].any()
        assert np.array_equal(await doll.given(), answered)
        assert follow(await doll.heard(), answered)
        report = doll.texts("report", sent=True)[-1]
        assert (report["frames_lost"], report["frames_dropped"]) == (0, 0)
        assert report["frames_played"] * FRAME_SAMPLES == len(answered)
        assert await doll.page.inner_text("#heard") == "안녕"
        assert await doll.page.inner_text("#said") == "그건 나도 잘 모르겠어."
        [heard] = relay.services.stt.calls
        assert np.abs(heard.utterance).max() > 1000
        assert all("token" not in url for url in doll.urls)


async def test_a_tap_lets_the_relay_find_the_end(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay, hears=Speech(1.0, 2.0)) as doll:
        await doll.wake()
        await doll.press()
        await doll.release()
        await doll.state("speaking")
        await doll.state("idle")
        assert doll.texts("listen", sent=True, state="start")[-1]["mode"] == "auto"
        assert not doll.texts("listen", sent=True, state="stop")
        assert relay.services.stt.calls


async def test_the_space_bar_is_a_finger(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.wake()
        await doll.page.keyboard.down("Space")
        await doll.until(lambda: len(doll.frames(doll.sent)) > 30)
        await doll.page.keyboard.up("Space")
        await doll.state("speaking")
        assert doll.texts("listen", sent=True, state="start")[-1]["mode"] == "manual"
        assert relay.services.stt.calls


async def test_a_press_during_an_answer_interrupts_it(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay) as doll:
        await doll.wake()
        relay.tts.seconds_per_clause = 20.0
        await doll.ask()
        await doll.state("speaking")
        await doll.until(lambda: len(doll.frames(doll.received)) > 30)
        await doll.press()
        await doll.state("listening")
        await doll.until(lambda: doll.texts("tts", state="stop", interrupted=True))
        assert doll.texts("abort", sent=True)
        relay.tts.seconds_per_clause = 0.5
        await doll.release()
        report = doll.texts("report", sent=True)[-1]
        assert 0 < report["frames_played"] < 20 / 0.032


async def test_a_voice_interrupts_where_nobody_presses(open_doll: OpenDoll) -> None:
    async with running() as relay, open_doll(relay, hears=Speech(1.5, 3.5)) as doll:
        relay.tts.seconds_per_clause = 20.0
        relay.services.stt.text = ["하나", "둘", "셋"]
        await doll.page.check("#free")
        await doll.page.click("#talk")
        await doll.until(lambda: doll.texts("listen", sent=True, mode="realtime"))
        await doll.state("speaking")
        await doll.until(lambda: doll.texts("tts", state="stop", interrupted=True))
        await doll.state("listening")
        await doll.until(lambda: len(doll.texts("stt")) >= 2)
        assert len(doll.texts("listen", sent=True, state="start")) == 1
        report = doll.texts("report", sent=True)[-1]
        assert 0 < report["frames_played"] < 20 / 0.032


@pytest.mark.parametrize("language", ["ko-KR", "en-US"])
async def test_the_page_speaks_the_language_of_the_browser(
    open_doll: OpenDoll, language: str
) -> None:
    async with running() as relay, open_doll(relay, locale=language) as doll:
        said = await doll.page.inner_text("#talk")
        assert said == ("깨우기" if language == "ko-KR" else "Wake up")
        assert await doll.page.get_attribute("html", "lang") == language[:2]
        await doll.page.click("#language")
        await doll.page.locator(f"html:not([lang={language[:2]}])").wait_for(state="attached")
        assert await doll.page.inner_text("#talk") != said
