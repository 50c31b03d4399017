"""IMA ADPCM as its specification describes it, one sample at a time: slow, plain, and what the
codecs of the relay (C) and of the firmware (viper) are both held against.

Source: "Recommended Practices for Enhancing Digital Audio Compatibility in Multimedia Systems",
Interactive Multimedia Association, revision 3.00 (1992), section 6, "IMA ADPCM".

`python tests/relay/wire/reference_adpcm.py > tests/vectors/adpcm.json` writes the test vectors.
Everything in them comes from integers and a fixed seed, so every machine writes the same file.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

FRAME_SAMPLES = 512
HEADER = struct.Struct("<hBB")  # predictor, step index, reserved (0)

# fmt: off
STEPS = (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408,
    449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066,
    2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630,
    9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
)
INDEX_MOVES = (-1, -1, -1, -1, 2, 4, 6, 8)
# fmt: on


class State(NamedTuple):
    """What the codec knows between two samples."""

    predictor: int = 0  # -32768..32767
    index: int = 0  # 0..88, into STEPS


def apply(code: int, state: State) -> State:
    """Follow one 4-bit code: both sides do this, so both know the same state."""
    step = STEPS[state.index]
    difference = step >> 3
    if code & 4:
        difference += step
    if code & 2:
        difference += step >> 1
    if code & 1:
        difference += step >> 2
    predictor = state.predictor - difference if code & 8 else state.predictor + difference
    return State(
        predictor=max(-32768, min(32767, predictor)),
        index=max(0, min(88, state.index + INDEX_MOVES[code & 7])),
    )


def encode_sample(sample: int, state: State) -> int:
    """Choose the 4-bit code that takes the predictor nearest to `sample` from below."""
    step = STEPS[state.index]
    difference = sample - state.predictor
    code = 0
    if difference < 0:
        code, difference = 8, -difference
    for bit, part in ((4, step), (2, step >> 1), (1, step >> 2)):
        if difference >= part:
            code |= bit
            difference -= part
    return code


def encode(samples: Sequence[int], state: State) -> tuple[bytes, State]:
    """Encode an even number of samples; the first of each pair goes in the high nibble."""
    codes = []
    for sample in samples:
        code = encode_sample(sample, state)
        state = apply(code, state)
        codes.append(code)
    pairs = zip(codes[::2], codes[1::2], strict=True)
    return bytes(first << 4 | second for first, second in pairs), state


def decode(data: bytes, state: State) -> tuple[list[int], State]:
    """Decode two samples per byte."""
    samples = []
    for byte in data:
        for code in (byte >> 4, byte & 15):
            state = apply(code, state)
            samples.append(state.predictor)
    return samples, state


def pack_frame(samples: Sequence[int], state: State) -> tuple[bytes, State]:
    """One wire frame: the state before the frame, then the codes."""
    data, after = encode(samples, state)
    return HEADER.pack(state.predictor, state.index, 0) + data, after


def unpack_frame(packet: bytes) -> list[int]:
    """The samples of one wire frame, which needs no other frame to be understood."""
    predictor, index, reserved = HEADER.unpack_from(packet)
    assert reserved == 0
    assert index <= 88
    return decode(packet[HEADER.size :], State(predictor, index))[0]


def triangle(period: int, peak: int) -> Callable[[int], int]:
    half = period // 2
    return lambda n: peak - abs(n % period - half) * 2 * peak // half


def voice(rng: random.Random, count: int) -> list[int]:
    """Something with the loud and quiet parts of a voice: low-passed noise with a moving level."""
    out, low = [], 0
    for n in range(count):
        low += (rng.randint(-32768, 32767) - low) >> 3
        level = abs(n % 400 - 200)  # 0..200
        out.append(max(-32768, min(32767, low * 4 * level // 200)))
    return out


def signals(seed: int) -> dict[str, list[int]]:
    """Two frames of each kind of sound that a codec gets wrong in its own way."""
    rng = random.Random(seed)
    count = 2 * FRAME_SAMPLES
    tone = triangle(36, 12_000)
    return {
        "silence": [0] * count,
        "tone": [tone(n) for n in range(count)],
        "voice": voice(rng, count),
        "whisper": [rng.randint(-6, 6) for _ in range(count)],
        "noise": [rng.randint(-32768, 32767) for _ in range(count)],
        "square": [32767 if n // 20 % 2 else -32768 for n in range(count)],
        "nyquist": [32767 if n % 2 else -32768 for n in range(count)],
        "click": [32767 if n == 300 else 0 for n in range(count)],
        "lowest": [-32768] * count,
        "highest": [32767] * count,
    }


def vectors(seed: int = 2026) -> dict[str, object]:
    """The file: what to encode with which result, and packets that are only decoded."""
    encoded = []
    for name, samples in signals(seed).items():
        state = State()
        frames = []
        for start in range(0, len(samples), FRAME_SAMPLES):
            pcm = samples[start : start + FRAME_SAMPLES]
            packet, state = pack_frame(pcm, state)
            frames.append(frame(pcm, packet))
        encoded.append({"name": name, "frames": frames})
    rng = random.Random(seed + 1)
    decoded = []
    for predictor in (-32768, 0, 32767):
        for index in (0, 88):
            body = bytes(rng.randrange(256) for _ in range(FRAME_SAMPLES // 2))
            packet = HEADER.pack(predictor, index, 0) + body
            decoded.append(
                {
                    "name": f"predictor {predictor}, index {index}",
                    "packet": packet.hex(),
                    "decoded": hex_pcm(unpack_frame(packet)),
                }
            )
    return {
        "about": (
            "IMA ADPCM wire frames of 512 samples; pcm and decoded are 16-bit little-endian, "
            "all in hexadecimal. 'encode': successive frames of one encoder that starts at "
            "predictor 0, index 0, each with what its packet decodes to. 'decode': any packet."
        ),
        "seed": seed,
        "encode": encoded,
        "decode": decoded,
    }


def frame(pcm: Sequence[int], packet: bytes) -> dict[str, str]:
    decoded = unpack_frame(packet)
    return {"pcm": hex_pcm(pcm), "packet": packet.hex(), "decoded": hex_pcm(decoded)}


def hex_pcm(samples: Iterable[int]) -> str:
    values = list(samples)
    return struct.pack(f"<{len(values)}h", *values).hex()


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    sys.stdout.write("\n")
