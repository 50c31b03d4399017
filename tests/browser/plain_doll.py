"""A doll over a plain WebSocket: it has a volume and a battery, asks, and says how it played."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.fakes.connection import LOUD

HELLO = {
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "features": {"mcp": True, "recorder": True, "token": True},
    "audio_params": {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32},
    "firmware": {"version": "0.1.0", "nonce": "n1", "board": "esp32-s3", "mpy": "6.3"},
}
_VOLUME = {
    "name": "self.audio_speaker.set_volume",
    "inputSchema": {
        "type": "object",
        "properties": {"volume": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["volume"],
    },
}
_STATUS = {"name": "self.get_device_status", "inputSchema": {"type": "object", "properties": {}}}


class PlainDoll:
    """`texts` are the messages that it got; `volume` is what its loudspeaker is set to."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.texts: list[dict[str, Any]] = []
        self.volume = 60
        self._news = asyncio.Condition()

    async def until(self, **fields: Any) -> dict[str, Any]:
        """Wait for a message with these fields."""

        def found() -> dict[str, Any] | None:
            return next((m for m in self.texts if fields.items() <= m.items()), None)

        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(found)
        return found() or {}

    async def ask(self) -> None:
        """Hold the button, say something, and hear the answer out."""
        self.texts.clear()
        await self.send(type="listen", state="start", mode="manual")
        for _ in range(40):
            await self._socket.send(LOUD.tobytes())
        await self.send(type="listen", state="stop")
        await self.until(type="tts", state="stop")
        await self.send(type="report", underruns=1, rssi=-58, heap_free=61_000)

    async def run(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                if isinstance(message, bytes):
                    continue
                read = json.loads(message)
                if read["type"] == "mcp":
                    await self._use(read["payload"])
                async with self._news:
                    self.texts.append(read)
                    self._news.notify_all()

    async def _use(self, asked: dict[str, Any]) -> None:
        result: dict[str, Any] = {}
        if asked["method"] == "tools/list":
            result = {"tools": [_VOLUME, _STATUS]}
        elif asked["method"] == "tools/call":
            arguments = asked["params"]["arguments"]
            self.volume = arguments.get("volume", self.volume)
            status = {
                "audio_speaker": {"volume": self.volume},
                "battery": {"level": 84, "charging": False},
            }
            result = {"content": [{"type": "text", "text": json.dumps(status)}]}
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
        await self.send(type="mcp", payload=answer)

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))


@asynccontextmanager
async def plain_doll(url: str, device_id: str, token: str = "") -> AsyncIterator[PlainDoll]:
    """One that is connected; without a token it is a stranger's."""
    headers = {"device-id": device_id, "client-id": f"c-{device_id}"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    async with connect(url, additional_headers=headers) as socket:
        doll = PlainDoll(socket)
        await socket.send(json.dumps(HELLO))
        running = asyncio.create_task(doll.run())
        try:
            await doll.until(type="hello")
            yield doll
        finally:
            running.cancel()
            await asyncio.wait((running,))
