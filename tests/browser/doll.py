"""The page /doll in a browser, as a test uses it: a finger, an ear, and eyes."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from playwright.async_api import Page, WebSocket

from relay.audio import RATE_HZ, Pcm

_HERE = Path(__file__).parent
_QUESTION = _HERE.parents[1] / "tools" / "demo" / "questions" / "ko-name.wav"

#: The Device-Id of a browser that is paired from the beginning.
DEVICE = "web-5f0c"

#: For anything to happen that must; a busy machine is slow.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Speech:
    """What the microphone hears, over and over: a person for some time, and then silence."""

    seconds: float = 1.0
    silence_s: float = 0.0
    before_s: float = 0.0


def speech(hears: Speech) -> bytes:
    """A WAV file of it: a person's recorded voice."""
    with wave.open(str(_QUESTION)) as file:
        voice = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        rate = file.getframerate()
    if hears.seconds < len(voice) / rate:
        voice = voice[np.abs(voice) > 300][: round(hears.seconds * rate)]  # without its pauses
    quiet = [np.zeros(round(s * rate), np.int16) for s in (hears.before_s, hears.silence_s)]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.concatenate([quiet[0], voice, quiet[1]]).tobytes())
    return out.getvalue()


class BrowserDoll:
    """One page. `received` and `sent` are what passed over its WebSockets, in order."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.received: list[dict[str, Any] | bytes] = []
        self.sent: list[dict[str, Any] | bytes] = []
        self.urls: list[str] = []
        self.faults: list[str] = []

    async def open(self, relay_url: str, token: str = "") -> None:
        """Open the page of the relay whose WebSocket has this URL; with a token it is paired."""
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("websocket", self._watch)
        await self.page.add_init_script(path=_HERE / "listen.js")
        kept = {"doll.preferences": {"volume": 100}}
        if token:
            kept["doll.identity"] = {"device": DEVICE, "client": "c1", "token": token}
        for key, value in kept.items():
            text = json.dumps(json.dumps(value))
            await self.page.add_init_script(
                f"localStorage.getItem('{key}') || localStorage.setItem('{key}', {text})"
            )
        at = relay_url.replace("ws://", "http://").replace("/xiaozhi/v1/", "/doll")
        await self.page.goto(at)
        await self.page.locator("#talk-label:not(:empty)").wait_for()

    async def will_hear(self, words: Pcm) -> None:
        """These, from the start each time that the page opened next listens, whatever the load."""
        await self.page.add_init_script(f"window.words = Int16Array.from({words.tolist()})")
        await self.page.add_init_script(path=_HERE / "speak.js")

    async def wake(self, state: str = "idle") -> None:
        """The first touch, up to where it is ready for a question."""
        await self.page.click("#talk")
        await self.until(lambda: self.texts("hello"))
        await self.state(state)

    async def press(self) -> None:
        box = await self.page.locator("#talk").bounding_box()
        assert box is not None
        await self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await self.page.mouse.down()

    async def release(self) -> None:
        await self.page.mouse.up()

    async def ask(self) -> None:
        """Hold the button until a second of speech has gone out, and let go."""
        before = len(self.frames(self.sent))
        await self.press()
        await self.until(lambda: len(self.frames(self.sent)) > before + RATE_HZ // 512)
        await self.release()

    async def state(self, *names: str) -> None:
        """Wait until it is in one of these states."""
        wanted = ", ".join(f'body[data-state="{name}"]' for name in names)
        await self.page.locator(wanted).wait_for(state="attached", timeout=PATIENCE_S * 1000)

    async def until(self, met: Any) -> None:
        """Wait until a condition on what has been sent and received is met."""
        async with asyncio.timeout(PATIENCE_S):
            while not met():
                await asyncio.sleep(0.02)

    def texts(self, kind: str, sent: bool = False, **fields: Any) -> list[dict[str, Any]]:
        """The messages of a type with these values in them."""
        return [
            message
            for message in (self.sent if sent else self.received)
            if isinstance(message, dict)
            and message["type"] == kind
            and all(message.get(key) == value for key, value in fields.items())
        ]

    @staticmethod
    def frames(messages: list[dict[str, Any] | bytes]) -> list[bytes]:
        return [message for message in messages if isinstance(message, bytes)]

    def answered(self) -> Pcm:
        """All samples that have come."""
        return np.frombuffer(b"".join(self.frames(self.received)), np.int16)

    async def heard(self) -> Pcm:
        """What the loudspeaker was given up to now and in the next tenth of a second, at 16 kHz."""
        rate, data = await self.page.evaluate("""async () => {
          const { rate, blocks } = window.heard;
          const until = blocks.length + rate / 1280;
          while (blocks.length < until) await new Promise((done) => setTimeout(done, 10));
          const bytes = new Uint8Array(blocks.length * 512);
          blocks.forEach((block, i) => bytes.set(new Uint8Array(block.buffer), i * 512));
          let text = "";
          for (let i = 0; i < bytes.length; i += 32768)
            text += String.fromCharCode(...bytes.subarray(i, i + 32768));
          return [rate, btoa(text)];
        }""")
        samples = np.frombuffer(base64.b64decode(data), np.float32)
        return soxr.resample(samples, rate, RATE_HZ, quality="VHQ") * 32_768

    async def given(self) -> Pcm:
        """The samples that the page has given to its speaker worklet, exactly."""
        samples = await self.page.evaluate("window.given.flatMap((some) => Array.from(some))")
        return np.array(samples, np.int16)

    async def forget_heard(self) -> None:
        """And what was given."""
        await self.page.evaluate("window.heard.blocks.length = window.given.length = 0")

    async def trouble(self) -> str:
        """What the page complains about; empty if it does not."""
        return await self.page.inner_text("#trouble")

    def _console(self, message: Any) -> None:
        if message.type == "error" and "WebSocket" not in message.text:
            self.faults.append(message.text)

    def _watch(self, socket: WebSocket) -> None:
        self.urls.append(socket.url)
        socket.on("framesent", lambda data: self.sent.append(_read(data)))
        socket.on("framereceived", lambda data: self.received.append(_read(data)))


def _read(data: str | bytes) -> dict[str, Any] | bytes:
    return data if isinstance(data, bytes) else json.loads(data)
