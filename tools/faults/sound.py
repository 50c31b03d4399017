"""Speech of which every sample can be told from every other, and how a doll hears it."""

from __future__ import annotations

import audioop
import struct

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.wire.codecs.adpcm import AdpcmEncoder

UNIT = 256  #: samples in one DMA buffer of the doll: silence comes and goes in whole ones


def sweep(seconds: float, rate_hz: int = RATE_HZ) -> Pcm:
    """A rising tone."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8000 * np.sin(2 * np.pi * (200 + 150 * t) * t + 0.3)).astype(np.int16)


def heard(pcm: Pcm) -> Pcm:
    """What a doll that misses nothing plays of these samples (16 kHz), in whole frames."""
    pcm = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES))
    encoder = AdpcmEncoder()
    played = b""
    for at in range(0, len(pcm), FRAME_SAMPLES):
        packet = encoder.encode(pcm[at : at + FRAME_SAMPLES])
        predictor, index, _ = struct.unpack_from("<hBB", packet)
        played += audioop.adpcm2lin(packet[4:], 2, (predictor, index))[0]
    return audible(np.frombuffer(played, np.int16))


def audible(pcm: Pcm) -> Pcm:
    """Without the silence before, between and after."""
    units = pcm[: len(pcm) - len(pcm) % UNIT].reshape(-1, UNIT)
    return units[units.any(axis=1)].ravel()
