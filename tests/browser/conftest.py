"""A doll in a real browser, which hears a WAV file with its microphone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from relay.audio import Pcm
from relay.web.doll_page import File, files
from tests.browser import chromium
from tests.browser.doll import DEVICE, BrowserDoll, Speech, speech
from tests.fakes.relay import Relay

try:
    from playwright.async_api import async_playwright
except ImportError:  # the dev extra is not installed
    async_playwright = None

#: Somebody who does not stop talking.
SPEECH = Speech()

#: Opens a doll on a relay's page: `async with open_doll(relay) as doll`.
OpenDoll = Callable[..., AbstractAsyncContextManager[BrowserDoll]]


@pytest.fixture
def open_doll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenDoll:
    found = chromium.find()
    if found is None or async_playwright is None:
        pytest.skip("NO CHROMIUM: the page /doll is not tested; python -m tests.browser.chromium")

    recorder = File((Path(__file__).parent / "recorder.js").read_bytes(), "text/javascript", '"1"')
    monkeypatch.setitem(files(), "recorder.js", recorder)

    @asynccontextmanager
    async def opened(
        relay: Relay | None,
        *,
        hears: Speech = SPEECH,
        url: str = "",
        paired: bool = True,
        says: Pcm | None = None,
        **context: Any,
    ) -> AsyncIterator[BrowserDoll]:
        wav = tmp_path / "microphone.wav"
        await asyncio.to_thread(wav.write_bytes, speech(hears))
        arguments = [
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={wav}",
        ]
        given = {
            "viewport": {"width": 390, "height": 844},
            "locale": "ko-KR",
            "service_workers": "block",  # it would keep things from one page to the next
            **context,
        }
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=found.path, env=found.environment or None, args=arguments
            )
            try:
                page = await (await browser.new_context(**given)).new_page()
                doll = BrowserDoll(page)
                if says is not None:
                    await doll.will_hear(says)
                token = await relay.token(DEVICE) if relay and paired else ""
                await doll.open(url or (relay.url if relay else ""), token)
                yield doll
                assert doll.faults == []
            finally:
                await browser.close()

    return opened
