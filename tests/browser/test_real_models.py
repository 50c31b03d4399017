"""The first minute with a doll: embedded ear, brain and voice, and a person's recorded voice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
import uvicorn

from relay.app import create_app
from relay.audio import RATE_HZ
from relay.config import Settings
from relay.providers import build
from relay.store.database import Database
from relay.web.here import HERE_PATH, leave_ticket
from relay.wire.server import websocket_options
from tests.browser.conftest import OpenDoll
from tests.browser.hearing import follow
from tools.simulator.wav import read_question

QUESTION = Path(__file__).parents[2] / "tools/demo/questions/ko-name.wav"

pytestmark = pytest.mark.models


async def test_it_is_asked_its_name_and_says_it(open_doll: OpenDoll, tmp_path: Path) -> None:
    settings = Settings(relay={"data": tmp_path / "data"}, turn={"record_lines": False})
    database = await Database.open(settings.relay.data)
    app = create_app(await build(settings), database)
    question = np.concatenate([np.zeros(RATE_HZ // 2, np.int16), read_question(QUESTION)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, **websocket_options()))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        async with open_doll(
            None, url=f"ws://{host}:{port}/xiaozhi/v1/", paired=False, says=question
        ) as doll:
            await doll.page.goto(
                urljoin(doll.page.url, HERE_PATH + leave_ticket(tmp_path / "data"))
            )
            await doll.page.click("#talk")
            await doll.until(lambda: len(doll.texts("hello")) == 2)  # it has been paired
            await doll.state("idle")
            doll.received.clear()
            await doll.forget_heard()
            await doll.page.focus("#talk")
            await doll.page.keyboard.press("Enter")
            await doll.state("speaking")
            await doll.state("idle")
            assert "이름" in await doll.page.inner_text("#heard")
            assert "차차" in "".join(m["text"] for m in doll.texts("tts", state="sentence_start"))
            assert np.array_equal(await doll.given(), doll.answered())
            assert follow(await doll.heard(), doll.answered())
    finally:
        server.should_exit = True
        await task
