"""`doll bench firmware`: what streaming costs the doll, and what a bad network does to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from relay.audio import FRAME_SAMPLES
from relay.turn.pacing import Pacer
from relay.wire.codecs.adpcm import AdpcmEncoder
from tools.bench.doll import FRAME_S
from tools.bench.report import Goal, Report
from tools.bench.routines import FIRMWARE, Buffer, Routine, routines
from tools.bench.xtensa.viper import ViperModule
from tools.simulator.compiled import compiled
from tools.simulator.errors import SimulatorError
from tools.simulator.heap import ESP32_KB, WIDER
from tools.simulator.micropython import micropython_command
from tools.simulator.network import Network
from tools.simulator.process import BOARD, ENVIRONMENT

JITTERS_MS = (0, 100, 300)
_HEAD_START_S = 0.6  # the relay's
_HEAP_S = 6.0
_TONE = (4000 * np.sin(np.arange(FRAME_SAMPLES) * 0.2)).astype(np.int16)

_METHOD = (
    "the firmware's own microphone, speaker and link on MicroPython's unix port and simulated I2S, "
    "against a small WebSocket server on loopback that sends frames of 32 ms ADPCM, "
    f"{_HEAD_START_S:g} s ahead; networks by a TCP forwarder that holds each piece up by 0 to the "
    "given time, each way; routines: best of 5 batches on this machine; Xtensa: the code that "
    "mpy-cross makes for the ESP32, interpreted, without MicroPython's own C; heap in use: "
    f"what these take here, divided by {WIDER:g} for words of 32 bits"
)


async def measure(seconds: float) -> Report:
    """Run all parts; `seconds` of full duplex, all networks at the same time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        firmware = await asyncio.to_thread(compiled, FIRMWARE, Path(folder) / "firmware")
        timed = await _time_routines(Path(folder))
        down = await _stream(firmware, _HEAP_S, up=False)
        up = await _stream(firmware, _HEAP_S, down=False)
        direct, *networks = await asyncio.gather(
            _stream(firmware, seconds),
            *(
                _stream(firmware, seconds, network=Network(jitter_ms=jitter))
                for jitter in JITTERS_MS
            ),
        )
    counted = await asyncio.to_thread(_count_instructions)
    by_jitter = dict(zip(JITTERS_MS, networks, strict=True))
    heap_kb = round(down.heap_connected / 1024 / WIDER, 1)
    result: dict[str, Any] = {
        "heap_bytes_per_frame_down": down.heap_per_frame,
        "heap_bytes_per_frame_up": up.heap_per_frame,
        "heap_in_use_connected_kb": heap_kb,
        **{f"{name}_us_per_frame": round(row["viper_us"], 2) for name, row in timed.items()},
        **counted,
        "full_duplex_s": seconds,
        **_streams({f"jitter_{jitter}_ms": stream for jitter, stream in by_jitter.items()}),
    }
    goals = [
        Goal("heap_per_frame_down", down.heap_per_frame, 0, "bytes"),
        Goal("heap_per_frame_up", up.heap_per_frame, 0, "bytes"),
        Goal("heap_in_use_connected", heap_kb, float(ESP32_KB), "KB"),
        *(
            Goal(f"frames_lost_jitter_{jitter}_ms", stream.lost, 0, "frames")
            for jitter, stream in by_jitter.items()
        ),
        *(
            Goal(f"underruns_jitter_{jitter}_ms", stream.underruns, 0, "times")
            for jitter, stream in by_jitter.items()
        ),
    ]
    baseline = {
        "routines": "the same source as bytecode",
        **{f"{name}_us_per_frame": round(row["bytecode_us"], 2) for name, row in timed.items()},
        "network": "a direct connection",
        **_streams({"direct": direct}),
    }
    return Report("firmware", _METHOD, baseline, result, goals)


@dataclass(frozen=True, slots=True)
class Stream:
    """What became of one stretch of streaming."""

    up_recorded: int  #: frames that the microphone made
    up_received: int  #: by the relay
    down_sent: int
    down_played: int
    underruns: int
    heap_connected: int  #: bytes
    heap_per_frame: int

    @property
    def lost(self) -> int:
        """Frames of both directions that did not arrive, or were not played."""
        return self.up_recorded - self.up_received + self.down_sent - self.down_played


def _streams(streams: dict[str, Stream]) -> dict[str, int]:
    figures = {}
    for name, stream in streams.items():
        figures[f"{name}_frames_up"] = stream.up_received
        figures[f"{name}_frames_down"] = stream.down_played
        figures[f"{name}_frames_lost"] = stream.lost
        figures[f"{name}_underruns"] = stream.underruns
    return figures


async def _stream(
    firmware: Path,
    seconds: float,
    *,
    up: bool = True,
    down: bool = True,
    network: Network | None = None,
) -> Stream:
    """Let a doll of its own stream for a while."""
    frames = math.ceil(seconds / FRAME_S) if down else 0
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(_relay())
        url = relay.url
        if network is not None:
            url = await stack.enter_async_context(network.between(url))
        told = {"url": url, "ms": round(seconds * 1000), "up": up, "frames": frames}
        seen = await _on_board("duplex.py", json.dumps(told), firmware)
        await relay.is_idle.wait()
    return Stream(
        up_recorded=seen["up_sent"] + seen["up_dropped"],
        up_received=relay.received,
        down_sent=frames,
        down_played=seen["down_played"],
        underruns=seen["underruns"],
        heap_connected=seen["heap_connected"],
        heap_per_frame=-(-seen["heap_grown"] // max(1, seen["heap_frames"])),
    )


class _Relay:
    """Says hello, sends as many frames as it is asked for, and counts those that come."""

    def __init__(self) -> None:
        self.url = ""
        self.received = 0
        self.is_idle = asyncio.Event()  #: the doll has gone

    async def serve(self, socket: ServerConnection) -> None:
        async with asyncio.TaskGroup() as group:
            try:
                hello = json.loads(await socket.recv())
                answer = {"type": "hello", "session_id": "bench"}
                await socket.send(json.dumps({**answer, "audio_params": hello["audio_params"]}))
                async for message in socket:
                    if isinstance(message, bytes):
                        self.received += 1
                    elif (asked := json.loads(message)).get("type") == "bench":
                        group.create_task(self._send(socket, asked["frames"]))
            except ConnectionClosed:
                pass
        self.is_idle.set()

    async def _send(self, socket: ServerConnection, frames: int) -> None:
        pacer = Pacer(FRAME_S, _HEAD_START_S)
        now = asyncio.get_running_loop().time
        frame = AdpcmEncoder().encode(_TONE)
        with contextlib.suppress(ConnectionClosed):
            await socket.send('{"type":"tts","state":"start"}')
            for _ in range(frames):
                await asyncio.sleep(pacer.delay(now()))
                await socket.send(frame)
                pacer.sent(now())
            await socket.send('{"type":"tts","state":"stop"}')


@asynccontextmanager
async def _relay() -> AsyncIterator[_Relay]:
    relay = _Relay()
    async with serve(
        relay.serve, "127.0.0.1", 0, compression=None, ping_interval=None, max_queue=None
    ) as server:
        relay.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield relay


async def _on_board(script: str, argument: str, firmware: Path) -> Any:
    """Run a script of tools/simulator/board/bench/ on the simulated board; the JSON it prints.

    Raises SimulatorError.
    """
    process = await asyncio.create_subprocess_exec(
        *micropython_command(),
        str(BOARD / "bench" / script),
        argument,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **{key: os.environ[key] for key in ENVIRONMENT if key in os.environ},
            "MICROPYPATH": f"{BOARD}:{firmware}:.frozen",
        },
    )
    try:
        out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = out.decode(errors="replace").splitlines()
    if process.returncode or not lines:
        text = (errors.decode(errors="replace") + "\n".join(lines))[-1000:]
        raise SimulatorError(f"{script} failed on the simulated board:\n{text}")
    return json.loads(lines[-1])


async def _time_routines(folder: Path) -> dict[str, dict[str, Any]]:
    """Microseconds of each routine for one frame, as viper and as bytecode."""
    known = routines()
    given = folder / "routines.json"
    given.write_text(json.dumps([_as_json(routine) for routine in known]), encoding="utf-8")
    # From source: bytecode is made of the same file.
    times = await _on_board("routines.py", str(given), FIRMWARE)
    for routine, row in zip(known, times, strict=True):
        if not row["same"]:
            raise SimulatorError(f"{routine.name} does not do the same as viper and as bytecode")
    return {routine.name: row for routine, row in zip(known, times, strict=True)}


def _as_json(routine: Routine) -> dict[str, Any]:
    return {
        "file": str(routine.path),
        "module": f"doll.{routine.path.stem}",
        "function": routine.function,
        "arguments": [
            {"type": argument.typecode, "hex": argument.data.hex()}
            if isinstance(argument, Buffer)
            else argument
            for argument in routine.arguments
        ],
    }


def _count_instructions() -> dict[str, float]:
    """Xtensa instructions of each routine, for one of what it goes through."""
    figures = {}
    for routine in routines():
        arguments = (
            bytearray(argument.data) if isinstance(argument, Buffer) else argument
            for argument in routine.arguments
        )
        run = ViperModule(routine.path).run(routine.function, *arguments)
        name = f"{routine.name}_xtensa_instructions_per_{routine.per}"
        figures[name] = round(run.instructions / routine.count, 1)
    return figures
