"""A whole relay on this machine, with providers that do as told.

`python -m tests.fakes.relay PORT DATA` runs one in a process of its own, to be killed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn

from relay.app import create_app
from relay.audio import Pcm
from relay.cluster.cluster import Cluster
from relay.cluster.server import open_redis
from relay.config import Settings
from relay.devices.registry import Registry
from relay.dolls import Dolls
from relay.llm.chain import Chain
from relay.persona import load
from relay.persona.personas import Personas
from relay.serve import serve
from relay.services import Services
from relay.store.database import Database
from relay.wire.server import websocket_options
from relay.wire.sockets import http_options
from tests.fakes.detector import LoudnessDetector
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech
from tools.faults.sound import heard, sweep


class Sweep(FakeTextToSpeech):
    """Speaks a rising tone, each part of which can be told from every other."""

    def _chunks(self, tone_hz: float = 0.0) -> list[Pcm]:
        tone = sweep(self.seconds_per_clause, self.rate_hz)
        step = round(self.chunk_s * self.rate_hz)
        return [tone[at : at + step] for at in range(0, len(tone), step)]

    def spoken(self) -> Pcm:
        """All that was spoken, as a doll that misses nothing hears it, in whole frames."""
        return heard(np.concatenate(self._chunks() * len(self.calls)))


@dataclass
class Relay:
    """A relay that listens on this machine."""

    url: str
    services: Services
    dolls: Dolls
    data: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> Registry:
        return self.dolls.registry

    async def token(self, device_id: str) -> str:
        """What this doll shows; it is paired if it is new."""
        if device_id not in self._tokens:
            self._tokens[device_id] = await self.registry.issue(device_id)
        return self._tokens[device_id]

    @property
    def tts(self) -> Sweep:
        assert isinstance(self.services.tts, Sweep)
        return self.services.tts

    @property
    def llm(self) -> FakeLanguageModel:
        assert isinstance(self.services.brain.tail, FakeLanguageModel)
        return self.services.brain.tail


def services(settings: Settings) -> Services:
    """Providers that do as told: a doll hears 2.5 s of a rising tone."""
    return Services(
        settings=settings,
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("안녕"),
        brain=Chain(tail=FakeLanguageModel(["그건 나도 잘 모르겠어."])),
        tts=Sweep(2.5),
        persona=load("chacha"),
        personas=Personas(settings.personas_folder),
    )


@asynccontextmanager
async def running(port: int = 0, **settings: dict[str, Any]) -> AsyncIterator[Relay]:
    """A relay with these sections of its settings, and with a database that is gone with it.

    Its dolls say no fillers: what they hear is compared sample by sample, on machines that may be
    too busy to answer in time.
    """
    settings["turn"] = {"max_fillers": 0, **settings.get("turn", {})}
    with tempfile.TemporaryDirectory(prefix="relay-") as data:
        settings["relay"] = {"data": data, **settings.get("relay", {})}
        made = Settings(**settings)
        async with _running(port, made.relay.data, made) as relay:
            yield relay


@asynccontextmanager
async def _running(port: int, data: Path, settings: Settings) -> AsyncIterator[Relay]:
    shared = services(settings)
    url = settings.relay.redis_url
    cluster = Cluster(open_redis(url, "relay.redis")) if url else None
    app = create_app(shared, await Database.open(data), cluster)
    config = uvicorn.Config(
        app,
        port=port,
        log_config=None,
        timeout_graceful_shutdown=1,
        **websocket_options(limits=settings.limits),
        **http_options(settings.limits, settings.relay.behind_proxy),
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield Relay(f"ws://{host}:{port}/xiaozhi/v1/", shared, app.state.dolls, data)
    finally:
        server.should_exit = True
        await task


async def _build(settings: Settings) -> Services:
    return services(settings)


if __name__ == "__main__":
    serve(Settings(relay={"port": int(sys.argv[1]), "data": sys.argv[2]}), _build)
