"""The doll's ADPCM is, bit by bit, what the relay's C codec makes of the same samples."""

from __future__ import annotations

import audioop
import json
import random
import struct
from array import array
from collections.abc import Callable
from pathlib import Path

Micropython = Callable[..., str]

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "adpcm.json"
SAMPLES = 512

CODEC = """
import json, sys
from doll import adpcm

with open(sys.argv[1]) as f:
    streams = json.load(f)
frame = bytearray(adpcm.FRAME_BYTES)
pcm = bytearray(2 * adpcm.FRAME_SAMPLES)
out = []
for stream in streams:
    state = adpcm.new_state()
    for samples in stream:
        adpcm.encode(bytes.fromhex(samples), frame, state)
        assert adpcm.decode(frame, pcm)
        out.append((bytes(frame).hex(), bytes(pcm).hex()))
print(json.dumps(out))
"""


def _signals() -> dict[str, list[int]]:
    """Streams of three frames each; the extremes are where codecs differ."""
    dice = random.Random(7)
    n = 3 * SAMPLES
    return {
        "silence": [0] * n,
        "highest": [32767] * n,
        "lowest": [-32768] * n,
        "square": [32767 if i // 20 % 2 else -32768 for i in range(n)],
        "alternating": [32767 if i % 2 else -32768 for i in range(n)],
        "noise": [dice.randint(-32768, 32767) for _ in range(n)],
        "quiet noise": [dice.randint(-3, 3) for _ in range(n)],
        "bursts": [dice.randint(-32768, 32767) if i % 300 < 9 else 0 for i in range(n)],
    }


def _audioop(stream: list[int]) -> list[tuple[str, str]]:
    """The wire frames of a stream, and what each decodes to, by CPython's C codec."""
    state = (0, 0)
    out = []
    for start in range(0, len(stream), SAMPLES):
        pcm = array("h", stream[start : start + SAMPLES]).tobytes()
        header = struct.pack("<hBB", *state, 0)
        body, after = audioop.lin2adpcm(pcm, 2, state)
        decoded, _ = audioop.adpcm2lin(body, 2, state)
        out.append(((header + body).hex(), decoded.hex()))
        state = after
    return out


def test_frames_and_samples_are_those_of_audioop(micropython: Micropython, tmp_path: Path) -> None:
    signals = _signals()
    streams = [
        [array("h", s[i : i + SAMPLES]).tobytes().hex() for i in range(0, len(s), SAMPLES)]
        for s in signals.values()
    ]
    file = tmp_path / "streams.json"
    file.write_text(json.dumps(streams))
    got = iter(json.loads(micropython(CODEC, str(file))))
    for name, signal in signals.items():
        for want in _audioop(signal):
            assert tuple(next(got)) == want, name


def test_frames_and_samples_are_those_of_the_shared_vectors(
    micropython: Micropython, tmp_path: Path
) -> None:
    vectors = json.loads(VECTORS.read_text())["encode"]
    file = tmp_path / "streams.json"
    file.write_text(json.dumps([[f["pcm"] for f in v["frames"]] for v in vectors]))
    got = iter(json.loads(micropython(CODEC, str(file))))
    for vector in vectors:
        for frame in vector["frames"]:
            assert tuple(next(got)) == (frame["packet"], frame["decoded"]), vector["name"]


def test_any_frame_of_the_shared_vectors_decodes_alike(
    micropython: Micropython, tmp_path: Path
) -> None:
    vectors = json.loads(VECTORS.read_text())["decode"]
    packets = [bytes.fromhex(v["packet"]).ljust(260, b"\0").hex() for v in vectors]
    file = tmp_path / "packets.json"
    file.write_text(json.dumps(packets))
    got = json.loads(
        micropython(
            """
import json, sys
from doll import adpcm
pcm = bytearray(1024)
out = []
with open(sys.argv[1]) as f:
    for packet in json.load(f):
        assert adpcm.decode(bytes.fromhex(packet), pcm)
        out.append(bytes(pcm).hex())
print(json.dumps(out))
""",
            str(file),
        )
    )
    for vector, samples in zip(vectors, got, strict=True):
        assert samples.startswith(vector["decoded"]), vector["name"]


def test_a_header_that_cannot_be_true_is_refused_and_the_samples_stay(
    micropython: Micropython,
) -> None:
    assert (
        micropython("""
from doll import adpcm
pcm = bytearray(b"x" * 1024)
for index, reserved in ((89, 0), (255, 0), (0, 1), (88, 255)):
    frame = bytearray(260)
    frame[2] = index
    frame[3] = reserved
    assert not adpcm.decode(frame, pcm)
assert bytes(pcm) == b"x" * 1024
print("ok")
""")
        == "ok\n"
    )


def test_coding_takes_no_heap(micropython: Micropython) -> None:
    assert (
        micropython("""
import gc
from doll import adpcm
pcm, frame, state = bytearray(1024), bytearray(260), adpcm.new_state()
def code(n):
    for _ in range(n):
        adpcm.encode(pcm, frame, state)
        adpcm.decode(frame, pcm)
code(2)
before = 0
gc.collect()
gc.disable()
before = gc.mem_alloc()
code(100)
print(gc.mem_alloc() - before)
""")
        == "0\n"
    )
