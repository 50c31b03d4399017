"""What a crowd of dolls says: recordings as packets that are ready for the socket."""

from __future__ import annotations

import importlib
import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.base import ListenMode
from relay.hearing.endpointing import EndpointSettings
from relay.hearing.hearing import Hearing, UtteranceEnded
from relay.hearing.silero import SileroDetector
from relay.wire.blocks import Blocks
from relay.wire.codecs import Decoder, downlink, make_decoder
from relay.wire.codecs.adpcm import AdpcmEncoder
from relay.wire.messages import AudioParams
from relay.wire.output import SETTLE_S

_QUESTIONS = Path(__file__).parents[1] / "demo" / "questions"

#: Questions of 1.5 to 4 s: one recording, or two in one breath.
_SPOKEN = (
    ("ko-likes",),
    ("ko-song",),
    ("ko-name",),
    ("en-arithmetic",),
    ("ko-likes", "ko-song"),
    ("ko-name", "ko-likes"),
)

#: Silence begins and ends on multiples of this: whole packets of either format (15 of 32 ms, 8 of
#: 60 ms) and whole windows of the detector, so that speech is cut into the same windows each time.
GRID_S = 0.48

_TAIL_S = 3 * GRID_S
_ROOM = 6  # a quiet room: noise of so many steps of a sample, -75 dB of full scale


@dataclass(frozen=True, slots=True)
class Speech:
    """One question as WebSocket frames, then silence. Times are counted in packets."""

    packets: Sequence[bytes]
    completes: int  #: the packet with which the configured silence is complete


@dataclass(frozen=True, slots=True)
class Codec:
    """One audio format of the wire, and what dolls say and hear in it."""

    name: str
    packet_s: float  #: of the uplink
    answer_packet_s: float  #: of the downlink
    settle_s: float  #: that the relay lets pass between `tts start` and the first packet
    hello: bytes  #: as a WebSocket frame
    silence: Sequence[bytes]
    speeches: Sequence[Speech]
    reports: bool  #: the doll reports on each answer, as ours does


async def prepare(name: str) -> Codec:
    """Read, cut and encode everything, with the relay's own ear for where speech ends."""
    params = (
        AudioParams("adpcm", RATE_HZ, 1, 32)
        if name == "adpcm"
        else AudioParams("opus", RATE_HZ, 1, 60)
    )
    ours = name == "adpcm"
    noise = np.random.default_rng(1).normal(0, _ROOM, 4 * RATE_HZ).astype(np.int16)
    tail = noise[: int(_TAIL_S * RATE_HZ)]
    detector = SileroDetector()
    try:
        speeches = []
        for names in _SPOKEN:
            pcm = np.concatenate([*(_read(one) for one in names), tail])
            packets = _encoded(pcm, params)
            end = await _completes(packets, make_decoder(params), detector)
            speeches.append(Speech([message(2, p) for p in packets], end))
    finally:
        await detector.close()
    features = '{"report":true,"resume":true}' if ours else "{}"
    hello = (
        f'{{"type":"hello","version":1,"transport":"websocket","features":{features},'
        f'"audio_params":{{"format":"{name}","sample_rate":{RATE_HZ},"channels":1,'
        f'"frame_duration":{params.frame_duration}}}}}'
    )
    silence = _encoded(noise[: int(8 * GRID_S * RATE_HZ)], params)
    return Codec(
        name=name,
        packet_s=params.frame_duration / 1000,
        answer_packet_s=downlink(params).frame_duration / 1000,
        settle_s=0.0 if ours else SETTLE_S,
        hello=message(1, hello.encode()),
        silence=[message(2, packet) for packet in silence],
        speeches=speeches,
        reports=ours,
    )


def message(opcode: int, payload: bytes) -> bytes:
    """A client's WebSocket frame (RFC 6455, section 5.2).

    The mask is zero, so that the client need not compute it while it measures; the server undoes it
    like any other.
    """
    size = len(payload)
    length = struct.pack(">B", 0x80 | size) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def _read(name: str) -> Pcm:
    with wave.open(str(_QUESTIONS / f"{name}.wav")) as file:
        assert file.getframerate() == RATE_HZ, name
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def _encoded(pcm: Pcm, params: AudioParams) -> list[bytes]:
    blocks = Blocks(RATE_HZ * params.frame_duration // 1000)
    frames = [*blocks.push(pcm), *blocks.flush()]
    if params.format == "adpcm":
        adpcm = AdpcmEncoder()
        return [adpcm.encode(frame) for frame in frames]
    # As a board does it: 16 kHz, and no more effort than its chip can make.
    opus: Any = importlib.import_module("opuslib_next")
    encoder = opus.Encoder(RATE_HZ, 1, "voip")
    encoder.complexity = 0
    return [bytes(encoder.encode(frame.tobytes(), len(frame))) for frame in frames]


async def _completes(packets: Sequence[bytes], decoder: Decoder, detector: SileroDetector) -> int:
    """The packet that completes the silence behind the only utterance in `packets`."""
    settings = EndpointSettings(learned=False)
    hearing = Hearing(detector.stream(), settings)
    hearing.start(ListenMode.AUTO)
    blocks = Blocks(FRAME_SAMPLES)
    for number, packet in enumerate(packets):
        for frame in blocks.push(decoder.decode(packet)):
            event = await hearing.push(frame)
            if isinstance(event, UtteranceEnded):
                windows = math.ceil(settings.silence_ms * RATE_HZ / 1000 / FRAME_SAMPLES)
                end = round(event.utterance.speech_end_s * RATE_HZ) + windows * FRAME_SAMPLES
                packet_samples = len(decoder.decode(packet))
                assert number == (end - 1) // packet_samples, "found with another packet"
                return number
    raise AssertionError("the detector finds no end of speech in the recording")
