"""The audio formats of the wire: which ones there are, and what each asks of a device."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from relay.audio import FRAME_SAMPLES, RATE_HZ
from relay.wire.codecs.adpcm import AdpcmDecoder, AdpcmEncoder
from relay.wire.codecs.base import Decoder, Encoder, unsupported
from relay.wire.codecs.opus import ENCODE_MS, ENCODE_RATE_HZ, OpusDecoder, OpusEncoder
from relay.wire.codecs.pcm import PcmDecoder, PcmEncoder
from relay.wire.messages import AudioParams, clip

__all__ = ["Decoder", "Encoder", "downlink", "make_decoder", "make_encoder"]

_FRAME_MS = FRAME_SAMPLES * 1000 // RATE_HZ


@dataclass(frozen=True, slots=True)
class _Format:
    decoder: Callable[[], Decoder]
    encoder: Callable[[], Encoder]
    rates_hz: Collection[int]  #: that a device may send
    durations_ms: Collection[int]
    downlink: AudioParams


_FORMATS = {
    "opus": _Format(
        OpusDecoder,
        OpusEncoder,
        rates_hz=(8_000, 12_000, 16_000, 24_000, 48_000),
        durations_ms=(20, 40, 60, 80, 100, 120),
        downlink=AudioParams("opus", ENCODE_RATE_HZ, 1, ENCODE_MS),
    ),
    "pcm": _Format(
        PcmDecoder,
        PcmEncoder,
        rates_hz=(RATE_HZ,),
        durations_ms=range(20, 121),
        downlink=AudioParams("pcm", RATE_HZ, 1, _FRAME_MS),
    ),
    "adpcm": _Format(
        AdpcmDecoder,
        AdpcmEncoder,
        rates_hz=(RATE_HZ,),
        durations_ms=(_FRAME_MS,),
        downlink=AudioParams("adpcm", RATE_HZ, 1, _FRAME_MS),
    ),
}


def make_decoder(uplink: AudioParams) -> Decoder:
    """A decoder for what a device says it sends. Raises WireError (`unsupported_format`)."""
    return _format(uplink).decoder()


def make_encoder(uplink: AudioParams) -> Encoder:
    """An encoder towards that device, in the format of its uplink. Raises WireError."""
    return _format(uplink).encoder()


def downlink(uplink: AudioParams) -> AudioParams:
    """What that encoder makes, as the relay's hello says it. Raises WireError."""
    return _format(uplink).downlink


def _format(uplink: AudioParams) -> _Format:
    found = _FORMATS.get(uplink.format)
    if found is None:
        name = clip(repr(uplink.format), 40)
        raise unsupported(f"audio format {name}: use {' or '.join(_FORMATS)}")
    if uplink.channels != 1:
        raise unsupported(f"{uplink.channels} channels: use 1")
    if uplink.sample_rate not in found.rates_hz:
        rates = " or ".join(map(str, found.rates_hz))
        raise unsupported(f"{uplink.format} at {uplink.sample_rate} Hz: use {rates}")
    if uplink.frame_duration not in found.durations_ms:
        shortest, longest = min(found.durations_ms), max(found.durations_ms)
        span = f"{shortest} to {longest}" if longest > shortest else f"{shortest}"
        raise unsupported(f"{uplink.format} in frames of {uplink.frame_duration} ms: use {span}")
    return found
