"""A doll for measurements: speaks the wire protocol, keeps time, plays nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter

from websockets.asyncio.client import ClientConnection, connect

FRAME_S = 0.032

_HELLO = {
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "features": {"report": True},
    "audio_params": {
        "format": "adpcm",
        "sample_rate": 16000,
        "channels": 1,
        "frame_duration": 32,
    },
}


class BenchDoll:
    """One connection. `frames` are ADPCM wire frames of 32 ms, sent in real time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.listens_s = 0.0  #: to an answer that it interrupts
        self.aborted = 0.0  #: when it interrupted last (`perf_counter`)
        self.last_frame = 0.0  #: when the last sound of that answer came

    async def push_to_talk(self, frames: Sequence[bytes], *, listen: bool = True) -> float:
        """Hold, speak, let go. Seconds from `listen stop` to the first frame of the answer.

        Without `listen` the answer is interrupted once it was listened to for `listens_s`.
        """
        await self._say(type="listen", state="start", mode="manual")
        start = perf_counter()
        for number, frame in enumerate(frames):
            await _until(start + number * FRAME_S)
            await self._socket.send(frame)
        released = perf_counter()
        await self._say(type="listen", state="stop")
        heard = await self._first_audio()
        await self._answered(listen)
        return heard - released

    async def hands_free(
        self,
        frames: Sequence[bytes],
        last_speech: int,
        silence: Sequence[bytes],
        *,
        listen: bool = True,
    ) -> float:
        """Speak, and go on sending silence until the answer comes.

        Seconds from the frame `last_speech` to the first frame of the answer. Without `listen` the
        answer is interrupted, as in `push_to_talk`.
        """
        await self._say(type="listen", state="start", mode="auto")
        answer = asyncio.create_task(self._first_audio())
        start = perf_counter()
        spoke = start
        number = 0
        while not answer.done():
            await _until(start + number * FRAME_S)
            sound = frames[number] if number < len(frames) else silence[number % len(silence)]
            await self._socket.send(sound)
            if number == last_speech:
                spoke = perf_counter()
            number += 1
        await self._answered(listen)
        return await answer - spoke

    async def stream(self, silence: Sequence[bytes], seconds: float) -> None:
        """Send silence in real time."""
        start = perf_counter()
        for number in range(int(seconds / FRAME_S)):
            await _until(start + number * FRAME_S)
            await self._socket.send(silence[number % len(silence)])

    async def _say(self, **message: str) -> None:
        await self._socket.send(json.dumps(message))

    async def _first_audio(self) -> float:
        while isinstance(await self._socket.recv(), str):
            pass
        return perf_counter()

    async def _answered(self, listen: bool) -> None:
        if not listen:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.listens_s):
                    while True:
                        await self._socket.recv()
            self.aborted = self.last_frame = perf_counter()
            await self._say(type="abort")
        while True:
            message = await self._socket.recv()
            if isinstance(message, bytes):
                self.last_frame = perf_counter()
            elif json.loads(message).get("state") == "stop":
                return


async def _until(moment: float) -> None:
    delay = moment - perf_counter()
    if delay > 0:
        await asyncio.sleep(delay)


@asynccontextmanager
async def bench_doll(url: str, name: str, token: str = "") -> AsyncIterator[BenchDoll]:
    """Connect, and exchange hellos. The relay wants the doll's token."""
    headers = {"Device-Id": name, "Client-Id": name, "Protocol-Version": "1"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with connect(url, additional_headers=headers, compression=None, max_queue=None) as socket:
        await socket.send(json.dumps(_HELLO))
        json.loads(await socket.recv())
        yield BenchDoll(socket)
