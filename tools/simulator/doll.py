"""A whole doll on this machine: the real firmware on the real MicroPython, on simulated hardware.

```python
async with SimulatedDoll("ws://127.0.0.1:8000/xiaozhi/v1/") as doll:
    await doll.ready()
    reply = await doll.ask(Path("question.wav"))
    print(reply.transcript, reply.sentences, reply.timeline.wait_ms)
```
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from relay.audio import Pcm
from tools.simulator.compiled import compiled
from tools.simulator.console import BoardEvent, Item, LogLine
from tools.simulator.errors import CrashError, SimulatorError, TurnError
from tools.simulator.network import Network
from tools.simulator.process import RESET_CAUSES, BoardProcess
from tools.simulator.turn import AskMode, Reply, TurnRecord, finish
from tools.simulator.wav import read_question, write_wav

__all__ = ["FIRMWARE", "AskMode", "Reply", "SimulatedDoll"]

FIRMWARE = Path(__file__).parents[2] / "firmware"

_MAX_RESTARTS = 5
_LISTEN_S = 5.0  #: from the press of the button to the open microphone
_HOLD_S = 0.5  #: a shorter press is a tap
_LET_GO_S = 0.1  #: from the last word to the finger
_DMA = 256  #: samples in one DMA buffer


class SimulatedDoll:
    """One doll, from power-on to power-off; a reset in between starts its firmware again.

    `settings` are put over those that the arguments make, and written to the doll's settings.json
    (docs/firmware-log.md lists them). `noise` is the highest sample of the hiss that the
    microphone hears while nobody speaks. `heap_kb` gives the firmware no more heap than a board
    with so many KB has, and compiles it as for a board. Replies become `reply-1.wav` and so on in
    the folder `out`; without it they go when the doll goes. `flash` is a folder that outlives the
    doll; without it each doll is a new one. With `network` the doll reaches its relay through that,
    bad as it may be. `on_item` sees everything that the console says.
    """

    def __init__(
        self,
        relay_url: str,
        *,
        device_id: str = "24:6f:28:00:00:01",
        token: str = "",
        hands_free: bool = False,
        settings: Mapping[str, Any] | None = None,
        noise: int = 20,
        heap_kb: int | None = None,
        out: Path | None = None,
        firmware: Path = FIRMWARE,
        flash: Path | None = None,
        network: Network | None = None,
        on_item: Callable[[Item], None] | None = None,
    ) -> None:
        self.settings: dict[str, Any] = {
            "board": "esp32s3",
            "wifi": [{"ssid": "simulated", "password": "simulated"}],
            "relay": relay_url,
            "device_id": device_id,
            "token": token,
            "talk": "free" if hands_free else "hold",
            **(settings or {}),
        }
        self.state = "off"
        self.light = (0, 0, 0)
        self.restarts = 0
        self._firmware = firmware
        self._on_board = firmware  # the same, or compiled
        self._given_flash = flash
        self._noise = noise
        self._heap_kb = heap_kb
        self._observer = on_item
        self._out = out
        self._asked = 0
        self._network = network
        self._opened = contextlib.AsyncExitStack()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._board: BoardProcess | None = None
        self._booting: asyncio.Task[None] | None = None
        self._switched_off = False
        self._unplugged = False
        self._epoch: float | None = None  # the board's t_ms = 0 on the monotonic clock
        self._record: TurnRecord | None = None
        self._crashed = False
        self._failure: SimulatorError | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        if not (self._firmware / "main.py").is_file():
            raise SimulatorError(f"there is no firmware in {self._firmware}: main.py is missing")
        self._folder = tempfile.TemporaryDirectory(prefix="doll-")
        try:
            if self._network is not None:
                way = self._network.between(self.settings["relay"])
                self.settings["relay"] = await self._opened.enter_async_context(way)
            if self._heap_kb is not None:
                folder = Path(self._folder.name) / "firmware"
                self._on_board = await asyncio.to_thread(compiled, self._firmware, folder)
            flash = self._flash
            flash.mkdir(parents=True, exist_ok=True)
            if self._out is not None:
                self._out.mkdir(parents=True, exist_ok=True)
            (flash / "settings.json").write_text(json.dumps(self.settings), encoding="utf-8")
            await self._power_on(cause=1)
        except BaseException:
            await self._power_off()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._power_off()

    async def ready(self, limit_s: float = 20.0) -> None:
        """Waits until the doll is connected to its relay and a question can be asked.

        Raises:
            CrashError: the firmware failed.
            SimulatorError: it is not ready in time; the message has its last lines.
        """
        await self._until(lambda: self.state == self._resting, limit_s, "the doll is not ready")

    async def ask(
        self,
        question: Path | Pcm,
        mode: AskMode = AskMode.HOLD,
        *,
        limit_s: float = 60.0,
    ) -> Reply:
        """Speaks a question to the doll and hears its reply to the end.

        `question` is a WAV file, or 16-bit mono samples at 16 kHz.

        Raises:
            CrashError: the firmware failed.
            TurnError: the doll was not ready, restarted, or was not done after `limit_s`.
            SimulatorError: the question is no usable WAV file.
        """
        pcm = read_question(question) if isinstance(question, Path) else question
        if (mode is AskMode.HANDS_FREE) != (self._resting == "listening"):
            raise TurnError("a doll is hands-free for all of its turns or for none")
        if self.state != self._resting:
            raise TurnError(f"the doll is not ready for a question: it is {self.state}")
        assert self._folder is not None
        assert self._board is not None
        wav = Path(self._folder.name) / "question.wav"
        write_wav(wav, pcm)
        speaker = self._board.speaker
        speaker.forget(speaker.end - speaker.rate_hz)
        record = self._record = TurnRecord(mode)
        try:
            async with asyncio.timeout(limit_s):
                await self._speak(record, wav)
                await self._until(lambda: record.over)
        except TimeoutError:
            text = f"the turn was not over after {limit_s:g} s, the doll is {self.state}"
            raise TurnError(self._with_last_lines(text)) from None
        finally:
            self._record = None
        self._board.hear()
        self._asked += 1
        folder = self._out or Path(self._folder.name)
        return finish(record, pcm, self._board.speaker, folder / f"reply-{self._asked}.wav")

    async def _speak(self, record: TurnRecord, wav: Path) -> None:
        """Does what a person does: button, words, button."""
        # Opened before the turn: what the board does in it must not use the firmware's heap.
        self._send("load", wav=str(wav))
        pressed = time.monotonic()
        try:
            if record.mode is not AskMode.HANDS_FREE:
                record.press_ms = self._now_ms()
                self._send("press" if record.mode is AskMode.HOLD else "tap")
                await self._until(
                    lambda: record.state == "listening", _LISTEN_S, "the doll does not listen"
                )
            self._send("start")
            await self._until(lambda: record.wav_done or record.over)
            if record.mode is AskMode.HOLD:
                await asyncio.sleep(max(_LET_GO_S, pressed + _HOLD_S - time.monotonic()))
                record.release_ms = self._now_ms()
        finally:
            if record.mode is AskMode.HOLD:
                self._send("release")

    def press(self) -> None:
        """Presses the button and holds it."""
        self._send("press")

    def release(self) -> None:
        """Lets the button go."""
        self._send("release")

    def tap(self) -> None:
        """Presses the button for a moment."""
        self._send("tap")

    def wifi(self, *, up: bool) -> None:
        """Switches the access point on or off."""
        self._send("wifi", state="up" if up else "down")

    async def failure(self) -> None:
        """Waits until the doll fails, and raises what failed."""
        await self._until(lambda: False)

    async def until_state(self, *states: str, limit_s: float = 20.0) -> None:
        """Waits until the doll is in one of these states."""
        await self._until(
            lambda: self.state in states, limit_s, f"the doll is not {' or '.join(states)}"
        )

    async def power_cycle(self, off_s: float = 0.0) -> None:
        """Pulls the plug, whatever the doll is doing, and puts it in again."""
        assert self._board is not None
        self._unplugged = True
        await self._board.kill()
        await asyncio.sleep(off_s)
        self._unplugged = False
        await self._power_on(cause=1)

    def played(self) -> Pcm:
        """What the speaker has played and is still kept, silence included, from the beginning of
        a DMA buffer on."""
        assert self._board is not None
        self._board.hear()
        speaker = self._board.speaker
        first, pcm = speaker.cut(0, speaker.end)
        return pcm[-first % _DMA :]

    @property
    def clock_ms(self) -> int:
        """The time on the doll's own clock, in ms since it was switched on."""
        return self._now_ms()

    @property
    def _resting(self) -> str:
        """The state in which a doll waits for a question."""
        return "listening" if self.settings["talk"] == "free" else "idle"

    @property
    def _flash(self) -> Path:
        assert self._folder is not None
        return self._given_flash or Path(self._folder.name) / "flash"

    def _send(self, cmd: str, **fields: Any) -> None:
        if self._board is not None:
            self._board.send(cmd, **fields)

    def _now_ms(self) -> int:
        """The time on the board's clock."""
        return 0 if self._epoch is None else round((time.monotonic() - self._epoch) * 1000)

    async def _power_on(self, cause: int) -> None:
        self._epoch = None
        self.state = "off"
        self._board = BoardProcess(self._take, self._ended)
        await self._board.start(
            self._on_board,
            self._flash,
            environment={
                "SIM_NOISE": str(self._noise),
                **board_environment(self._firmware, str(self.settings["board"])),
                "SIM_RESET_CAUSE": str(cause),
            },
            heap_kb=self._heap_kb,
        )

    async def _power_off(self) -> None:
        self._switched_off = True
        try:
            if self._booting is not None:
                self._booting.cancel()
                await asyncio.wait((self._booting,))
            if self._board is not None:
                await self._board.stop()
            await self._opened.aclose()
        finally:
            if self._folder is not None:
                self._folder.cleanup()

    def _take(self, item: Item) -> None:
        if isinstance(item, BoardEvent):
            # No news is faster than its line: the earliest one is nearest to the truth.
            began = time.monotonic() - item.t_ms / 1000
            self._epoch = began if self._epoch is None else min(began, self._epoch)
            if item.name == "light":
                red, green, blue = item.fields["rgb"]
                self.light = (red, green, blue)
        elif isinstance(item, LogLine):
            if (state := item.rest("state")) is not None:
                self.state = state
            elif item.level == "E" and item.rest("crash") is not None:
                self._crashed = True  # its traceback follows, and then it resets itself
        if self._record is not None:
            self._record.take(item, self._now_ms())
        if self._observer is not None:
            self._observer(item)
        self._news.set()

    def _ended(self, code: int) -> None:
        board = self._board
        assert board is not None
        self.state = "off"
        if self._switched_off or self._unplugged:
            return
        if self._crashed:
            self._failure = CrashError(self._with_last_lines("the firmware crashed"))
        elif code in RESET_CAUSES and self.restarts < _MAX_RESTARTS:
            self.restarts += 1
            self._booting = asyncio.create_task(self._restart(RESET_CAUSES[code]))
        elif code in RESET_CAUSES:
            text = f"the doll restarted more than {_MAX_RESTARTS} times"
            self._failure = CrashError(self._with_last_lines(text))
        elif board.stderr:
            self._failure = CrashError(f"the firmware failed:\n{board.stderr}")
        else:
            text = f"the firmware ended (exit code {code})"
            self._failure = CrashError(self._with_last_lines(text))
        self._news.set()

    async def _restart(self, cause: int) -> None:
        try:
            await self._power_on(cause)
        except SimulatorError as error:
            self._failure = error
            self._news.set()

    async def _until(
        self, met: Callable[[], bool], limit_s: float | None = None, else_: str = ""
    ) -> None:
        """Waits for what the console brings; `else_` says what was missing at the limit."""
        restarts = self.restarts if self._record is not None else None
        try:
            async with asyncio.timeout(limit_s):
                while not met():
                    if self._failure is not None:
                        raise self._failure
                    if self._record is not None and self._record.error is not None:
                        raise TurnError(f"the simulated board: {self._record.error}")
                    if restarts not in (None, self.restarts):
                        raise TurnError("the doll restarted in the middle of the turn")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TurnError(self._with_last_lines(f"{else_} after {limit_s:g} s")) from None

    def _with_last_lines(self, text: str) -> str:
        assert self._board is not None
        lines = "\n".join(list(self._board.recent)[-20:])
        return f"{text}; its last lines:\n{lines}" if lines else f"{text}, and it said nothing"


#: How many I2S peripherals a chip has, if not two (SOC_I2S_NUM in ESP-IDF).
_I2S_PORTS = {"esp32c3": 1, "esp32s2": 1}


def board_environment(firmware: Path, board: str) -> dict[str, str]:
    """What the simulated board must be like, to be the one that `boards/<board>.py` describes."""
    try:
        text = (firmware / "boards" / f"{board}.py").read_text(encoding="utf-8")
    except OSError:
        return {}  # the firmware has something to say about a board that it does not know

    def fact(name: str) -> str:
        match = re.search(rf"^{name}\s*=\s*\"?(\w+)", text, re.MULTILINE)
        return match[1] if match else ""

    return {
        "SIM_BUTTON_PIN": fact("BUTTON") or "0",
        "SIM_I2S_PORTS": str(_I2S_PORTS.get(fact("CHIP"), 2)),
        "SIM_MIC_SLOT": "right" if fact("MIC_IN_RIGHT_SLOT") == "True" else "left",
    }
