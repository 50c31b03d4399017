"""The pictures of the owner's page in docs/images: `python -m tests.browser.dashboard_screenshots`.

The dolls and the models do as told; the page is the real one. With a folder as an argument, all
views are taken there in both languages, schemes and sizes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from relay.devices.bundle import Bundle, pack
from relay.devices.shelf import Shelf, publish
from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.llm.policy import Trouble
from relay.memory.records import Fact
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import QuotaSettings
from relay.quota.store import MemoryStore
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording
from tests.browser import chromium
from tests.browser.owner import owner_page
from tests.browser.plain_doll import plain_doll
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.relay import Relay, running
from tests.fakes.voice_server import shelf_with

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_PHONE, _PC = (390, 844), (1120, 800)
_VIEWS = ("dolls", "care", "talk", "memory", "personas", "voices", "relay")
_TALK = (
    ("차차야, 오늘 뭐 했어?", "흥, 너 기다린 거 아니거든. 책 정리했어."),
    ("나 내일 시험이야.", "그럼 오늘은 일찍 자. 걱정돼서 그러는 건 아니야."),
    ("응, 고마워!", "…별말씀을. 잘 봐, 진주."),
)
#: What the README shows.
_WANTED = (("dolls", "light", "ko-KR", _PHONE), ("talk", "dark", "ko-KR", _PHONE),
           ("relay", "light", "en-US", _PC))  # fmt: skip


async def main(folder: Path, shots: Sequence[tuple[str, str, str, tuple[int, int]]]) -> None:
    found = chromium.find()
    assert found is not None
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(running())
        relay.services.shelf = Shelf(relay.data / "updates", automatic=False)
        models = _cloud(relay)
        for name, device in (("차차", "24:6f:28:00:00:01"), ("거실 인형", "24:6f:28:00:00:02")):
            token = await relay.registry.issue(device, name=name)
            if name == "차차":
                doll = await stack.enter_async_context(plain_doll(relay.url, device, token))
        relay.tts.seconds_per_clause = 0.4
        for heard, said in _TALK:
            relay.services.stt.text = heard  # type: ignore[union-attr]
            for model in models:
                model.parts = [said]
            await doll.ask()
        await _things(relay)
        facts = ("진주는 시험이 금요일에 있다.", "진주는 딸기를 좋아한다.", "생일은 3월 3일이다.")
        noted = [Fact(1_790_000_000 + number, text) for number, text in enumerate(facts)]
        await relay.dolls.memory.store.set_facts("24:6f:28:00:00:01", noted)
        relay.services.live.failed(Trouble.RATE, model="gemini-3-flash")
        for view, scheme, locale, size in shots:
            place = {"width": size[0], "height": size[1]}
            async with owner_page(
                found,
                relay,
                "dolls" if view == "care" else view,
                color_scheme=scheme,
                locale=locale,
                viewport=place,
            ) as page:
                await asyncio.sleep(1.5)  # a look at the quota, and what moves softly
                if view == "care":
                    await page.locator("article button").first.click()
                    await asyncio.sleep(0.5)
                    await page.locator("dialog .firmware").scroll_into_view_if_needed()
                if view == "memory":
                    await page.locator("details summary").last.click()
                if view == "personas" and folder != _IMAGES:
                    await page.locator("article button").first.click()
                    await asyncio.sleep(0.5)
                kind = "phone" if size == _PHONE else "pc"
                name = f"dashboard-{view}-{kind}-{scheme}-{locale[:2]}.png"
                await page.screenshot(path=folder / name)
                print(name, (folder / name).stat().st_size // 1024, "kB")


async def _things(relay: Relay) -> None:
    """An update, a voice of the owner's own, and a recorded turn."""
    bundle = Bundle("0.2.0", "", "", 1, pack([("doll/start.py", b"x" * 8_000)]))
    folder = relay.data / "updates"
    await asyncio.to_thread(publish, folder, [bundle])
    assert relay.services.shelf is not None
    await relay.services.shelf.look()
    shelf_with(relay.data)
    turn = Recording("24:6f:28:00:00:01", 1_790_000_000.0, np.ones(24_000, np.int16), 24_000)
    turn.transcript, turn.subtitles = _TALK[0][0], [_TALK[0][1]]
    turn.answer = [np.ones(48_000, np.int16)]
    Recordings.of(relay.services.settings).save(turn)


def _cloud(relay: Relay) -> list[FakeMeteredModel]:
    quota = Scheduler(MemoryStore(), QuotaSettings(), Pacing(ZoneInfo("Asia/Seoul")))
    names = ("gemini-3-flash", "gemini-2.5-flash-lite")
    models = [FakeMeteredModel(name, first_delay_s=0.4) for name in names]
    relay.services.brain = Chain(
        [Link(model, quota, "gemini") for model in models], tail=relay.services.brain.tail
    )
    return models


if __name__ == "__main__":
    if len(sys.argv) > 1:
        every = product(_VIEWS, ("light", "dark"), ("ko-KR", "en-US"), (_PHONE, _PC))
        asyncio.run(main(Path(sys.argv[1]), list(every)))
    else:
        asyncio.run(main(_IMAGES, _WANTED))
