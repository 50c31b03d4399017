from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.wire.codecs.opus import OpusDecoder, OpusEncoder
from relay.wire.errors import CloseCode, ErrorCode, WireError

opuslib = pytest.importorskip("opuslib_next")


def tone(rate_hz: int, count: int, hertz: int = 300) -> Pcm:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(count) / rate_hz)).astype(np.int16)


def encoded(rate_hz: int, frame_ms: int, channels: int = 1) -> list[bytes]:
    """Half a second as a device would send it."""
    encoder = opuslib.Encoder(rate_hz, channels, "voip")
    size = rate_hz * frame_ms // 1000
    sound = np.repeat(tone(rate_hz, size * (500 // frame_ms)), channels)
    return [encoder.encode(frame.tobytes(), size) for frame in np.split(sound, 500 // frame_ms)]


def loudest_hertz(pcm: Pcm, rate_hz: int = 16_000) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * rate_hz / len(pcm))


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("frame_ms", [20, 40, 60])
def test_every_rate_and_duration_is_heard_at_16_khz(rate_hz: int, frame_ms: int) -> None:
    decoder = OpusDecoder()
    packets = encoded(rate_hz, frame_ms)
    sound = np.concatenate([decoder.decode(packet) for packet in packets])
    assert len(sound) == len(packets) * 16 * frame_ms
    assert loudest_hertz(sound[1600:]) == pytest.approx(300, abs=5)


def test_120_ms_in_one_packet_are_heard() -> None:
    decoder = OpusDecoder()
    sound = np.concatenate([decoder.decode(packet) for packet in encoded(16_000, 120)])
    assert loudest_hertz(sound[1600:]) == pytest.approx(300, abs=5)


def test_stereo_is_heard_as_one_channel() -> None:
    decoder = OpusDecoder()
    sound = np.concatenate([decoder.decode(packet) for packet in encoded(16_000, 60, channels=2)])
    assert len(sound) == 8 * 960


def test_silence_in_packets_of_one_byte_lasts_as_long_as_it_should() -> None:
    encoder = opuslib.Encoder(16_000, 1, "voip")
    encoder.dtx = 1
    packets = [encoder.encode(bytes(1920), 960) for _ in range(40)]
    assert min(map(len, packets)) <= 2
    decoder = OpusDecoder()
    for packet in packets:
        pcm = decoder.decode(packet)
        assert len(pcm) == 960
        assert np.abs(pcm.astype(int)).max() < 200


def test_a_reply_is_encoded_in_60_ms_at_24_khz() -> None:
    encoder = OpusEncoder()
    packets = [encoder.encode(frame) for frame in np.split(tone(24_000, 1440 * 20), 20)]
    assert sum(map(len, packets)) * 8 / (20 * 0.060) < 40_000  # bits a second
    decoder = opuslib.Decoder(24_000, 1)
    heard = np.frombuffer(b"".join(decoder.decode(p, 1440) for p in packets), np.int16)
    assert loudest_hertz(heard[4800:], 24_000) == pytest.approx(300, abs=5)


def test_a_strided_frame_is_encoded_as_its_copy_is() -> None:
    every_second = tone(48_000, 2880)[::2]
    assert OpusEncoder().encode(every_second) == OpusEncoder().encode(every_second.copy())


def test_after_a_reset_the_encoder_is_as_new() -> None:
    encoder = OpusEncoder()
    frames = np.split(tone(24_000, 2880), 2)
    first = [encoder.encode(frame) for frame in frames]
    encoder.reset()
    assert [encoder.encode(frame) for frame in frames] == first


@given(st.binary(max_size=400))
def test_any_packet_is_sound_or_a_refusal(packet: bytes) -> None:
    decoder = OpusDecoder()
    try:
        outcome: Pcm | WireError = decoder.decode(packet)
    except WireError as error:
        outcome = error
    if isinstance(outcome, WireError):
        assert outcome.code is ErrorCode.BAD_AUDIO
        assert outcome.close is None
    else:
        assert 0 < len(outcome) <= 1920


@given(st.data())
def test_a_damaged_packet_does_not_spoil_the_ones_after_it(data: st.DataObject) -> None:
    packets = encoded(16_000, 60)
    damaged = bytearray(packets[2])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    decoder = OpusDecoder()
    for packet in (*packets[:2], bytes(damaged)):
        with contextlib.suppress(WireError):
            decoder.decode(packet)
    assert all(len(decoder.decode(packet)) == 960 for packet in packets[3:])


def test_an_empty_packet_is_refused() -> None:
    with pytest.raises(WireError, match="empty"):
        OpusDecoder().decode(b"")


def test_without_the_binding_the_refusal_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opuslib_next", None)
    for make in (OpusDecoder, OpusEncoder):
        with pytest.raises(WireError, match=r"pip install 'talking-doll\[opus\]'") as caught:
            make()
        assert caught.value.code is ErrorCode.UNSUPPORTED_FORMAT
        assert caught.value.close is CloseCode.UNSUPPORTED_FORMAT
