"""The firmware's viper routines, each with one frame's worth of work."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FIRMWARE = Path(__file__).parents[2] / "firmware"

SAMPLES = 512  #: of one frame, 32 ms
_PACKET = 260  # bytes on the wire
_T = np.arange(SAMPLES)
_WAVE = (8000 * np.sin(_T * 0.11) + 3000 * np.sin(_T * 0.9)).astype("<i2")


@dataclass(frozen=True, slots=True)
class Buffer:
    """An argument that is memory; `typecode` as in MicroPython's array, "B" for a bytearray."""

    typecode: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Routine:
    """A viper function, and a call of it that does what one frame of audio needs."""

    file: str  #: in firmware/doll
    function: str
    arguments: tuple[int | Buffer, ...]
    per: str  #: what the call goes through: "sample", "byte", or "frame" for one thing
    count: int  #: how many of them

    @property
    def name(self) -> str:
        """Without the underscore that only says that nobody else calls it."""
        return f"{Path(self.file).stem}.{self.function.lstrip('_')}"

    @property
    def path(self) -> Path:
        """Its source."""
        return FIRMWARE / "doll" / self.file


def viper_functions() -> Iterator[tuple[str, str]]:
    """File and name of each viper function of the firmware."""
    for path in sorted((FIRMWARE / "doll").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator) == "micropython.viper" for decorator in node.decorator_list
            ):
                yield path.name, node.name


def routines() -> list[Routine]:
    """All of them."""
    pcm = Buffer("H", _WAVE.tobytes())
    silence = Buffer("H", bytes(2 * SAMPLES))
    words = Buffer("H", (_WAVE.astype("<i4") << 13).tobytes())
    pairs = Buffer("I", (_WAVE.astype("<i4") << 13).repeat(2).tobytes())
    packet = Buffer("B", bytes(4) + bytes(range(256)))
    message = Buffer("B", bytes(8) + packet.data)
    text = Buffer("B", ("안녕, hello. " * 20).encode()[:_PACKET])
    steps = Buffer("H", struct.pack("<89H", *_steps()))
    state = Buffer("H", bytes(4))
    blank = Buffer("B", bytes(_PACKET))
    left = Buffer("I", bytes(4 * SAMPLES))
    beep = Buffer("B", silence.data)
    n = SAMPLES
    return [
        Routine("adpcm.py", "_encode", (pcm, n, blank, 4, state, steps), "sample", n),
        Routine("adpcm.py", "_decode", (packet, 4, n, silence, 0, 40, steps), "sample", n),
        Routine("dsp.py", "narrow", (words, 0, n, silence, 0, 13), "sample", n),
        Routine("dsp.py", "right", (pairs, left, n), "sample", n),
        Routine("dsp.py", "_remove_dc", (pcm, n, Buffer("I", bytes(8))), "sample", n),
        Routine("dsp.py", "volume", (pcm, n, 125), "sample", n),
        Routine("sounds.py", "tone", (beep, n, 0, 3604, 0, 6000), "sample", n),
        Routine("frames.py", "copy", (blank, 0, packet, 0, _PACKET), "byte", _PACKET),
        Routine("frames.py", "is_utf8", (text, 0, len(text.data)), "byte", len(text.data)),
        Routine("websocket.py", "_mask", (message, _PACKET, 0x2A3B4C5D), "byte", _PACKET),
        Routine("websocket.py", "_xorshift", (12345,), "frame", 1),
    ]


def _steps() -> list[int]:
    """The step sizes of the firmware's codec, out of its source."""
    for node in ast.parse((FIRMWARE / "doll" / "adpcm.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_STEPS":
            assert isinstance(node.value, ast.Call)
            return list(ast.literal_eval(node.value.args[1]))
    raise LookupError("_STEPS is not in adpcm.py")
