"""The pictures of the page in docs/images: `python -m tests.browser.screenshots`.

A relay with providers that do as told answers; the page is the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser import chromium
from tests.browser.doll import DEVICE, BrowserDoll, Speech, speech
from tests.fakes.relay import Relay, running

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_PHONE, _PC = (390, 844), (1120, 700)
_WANTED = (
    "doll-phone-light-asleep.png",
    "doll-phone-light-listening.png",
    "doll-phone-dark-speaking.png",
    "doll-pc-light-speaking.png",
)


async def _take(doll: BrowserDoll, name: str) -> None:
    if name not in _WANTED:
        return
    await asyncio.sleep(0.6)  # faces change softly
    await doll.page.screenshot(path=_IMAGES / name)
    print(name, (_IMAGES / name).stat().st_size // 1024, "kB")


async def _talk(browser: Browser, relay: Relay, scheme: str, size: tuple[int, int]) -> None:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale="ko-KR"
    )
    doll = BrowserDoll(await context.new_page())
    await doll.open(relay.url, await relay.token(DEVICE))
    kind = f"doll-{'phone' if size == _PHONE else 'pc'}-{scheme}"
    await _take(doll, f"{kind}-asleep.png")
    await doll.wake()
    await doll.press()
    await doll.until(lambda: len(doll.frames(doll.sent)) > 30)
    await _take(doll, f"{kind}-listening.png")
    await doll.release()
    await doll.state("speaking")
    await asyncio.sleep(1.0)
    await _take(doll, f"{kind}-speaking.png")
    await context.close()


async def main() -> None:
    found = chromium.find()
    assert found is not None
    _IMAGES.mkdir(exist_ok=True)
    async with running() as relay, async_playwright() as playwright:
        relay.tts.seconds_per_clause = 6.0
        relay.services.stt.text = "차차야, 너는 뭘 좋아해?"
        relay.llm.pieces = ["흥, 진주랑 C++지. 네가 물어봐서 말해 주는 건 아니야."]
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder, "voice.wav")
            await asyncio.to_thread(wav.write_bytes, speech(Speech()))
            browser = await playwright.chromium.launch(
                executable_path=found.path,
                env=found.environment or None,
                args=[
                    "--no-sandbox",
                    "--use-fake-device-for-media-stream",
                    "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-audio-capture={wav}",
                ],
            )
            for size in (_PHONE, _PC):
                for scheme in ("light", "dark"):
                    await _talk(browser, relay, scheme, size)
            with contextlib.suppress(OSError):
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
