from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from relay.audio import FRAME_SAMPLES, Pcm
from relay.wire.codecs.adpcm import PACKET_BYTES, AdpcmDecoder, AdpcmEncoder
from relay.wire.errors import ErrorCode, WireError

samples = st.sampled_from([-32768, -1, 0, 1, 32767]) | st.integers(-32768, 32767)
frames = arrays.arrays(np.int16, FRAME_SAMPLES, elements=samples)


def pcm(text: str) -> Pcm:
    return np.frombuffer(bytes.fromhex(text), "<i2").astype(np.int16)


def test_the_vectors_are_what_the_reference_makes(
    adpcm_vectors: dict[str, Any], reference_adpcm: ModuleType
) -> None:
    assert adpcm_vectors == reference_adpcm.vectors()


def test_every_vector_is_encoded_and_decoded_bit_for_bit(adpcm_vectors: dict[str, Any]) -> None:
    decoder = AdpcmDecoder()
    for case in adpcm_vectors["encode"]:
        encoder = AdpcmEncoder()
        for frame in case["frames"]:
            packet = encoder.encode(pcm(frame["pcm"]))
            assert packet.hex() == frame["packet"], case["name"]
            assert np.array_equal(decoder.decode(packet), pcm(frame["decoded"])), case["name"]
    for case in adpcm_vectors["decode"]:
        decoded = decoder.decode(bytes.fromhex(case["packet"]))
        assert np.array_equal(decoded, pcm(case["decoded"])), case["name"]


@given(st.lists(frames, min_size=1, max_size=3))
def test_any_sound_is_encoded_as_the_specification_says(
    reference_adpcm: ModuleType, sound: list[Pcm]
) -> None:
    encoder, state = AdpcmEncoder(), reference_adpcm.State()
    for frame in sound:
        expected, state = reference_adpcm.pack_frame(frame.tolist(), state)
        assert encoder.encode(frame) == expected


@given(st.integers(-32768, 32767), st.integers(0, 88), st.binary(min_size=256, max_size=256))
def test_any_packet_is_decoded_as_the_specification_says(
    reference_adpcm: ModuleType, predictor: int, index: int, codes: bytes
) -> None:
    packet = reference_adpcm.HEADER.pack(predictor, index, 0) + codes
    decoded = AdpcmDecoder().decode(memoryview(packet))
    assert decoded.tolist() == reference_adpcm.unpack_frame(packet)


def test_a_frame_is_decoded_without_the_frames_before_it() -> None:
    tone = (8000 * np.sin(np.arange(4 * FRAME_SAMPLES) / 9)).astype(np.int16)
    encoder = AdpcmEncoder()
    packets = [encoder.encode(frame) for frame in tone.reshape(4, FRAME_SAMPLES)]
    last = AdpcmDecoder().decode(packets[3]).astype(int)
    error = last - tone[3 * FRAME_SAMPLES :]
    assert np.mean(error**2) < np.mean(tone.astype(int) ** 2) / 300  # 25 dB below


def test_after_a_reset_the_encoder_is_as_new() -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, FRAME_SAMPLES).astype(np.int16)
    encoder = AdpcmEncoder()
    first = encoder.encode(noise)
    assert encoder.encode(noise) != first
    encoder.reset()
    assert encoder.encode(noise) == first


@pytest.mark.parametrize("size", [0, 1, 3, 4, 259, 261, 4096])
def test_a_packet_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(WireError, match=str(size)) as caught:
        AdpcmDecoder().decode(bytes(size))
    assert caught.value.code is ErrorCode.BAD_AUDIO
    assert caught.value.close is None


@pytest.mark.parametrize("header", [b"\0\0\x59\0", b"\0\0\xff\0", b"\0\0\0\1"])
def test_a_header_that_makes_no_sense_is_refused(header: bytes) -> None:
    with pytest.raises(WireError) as caught:
        AdpcmDecoder().decode(header + bytes(PACKET_BYTES - 4))
    assert caught.value.code is ErrorCode.BAD_AUDIO


def test_only_whole_frames_of_samples_are_encoded() -> None:
    for wrong in (np.zeros(511, np.int16), np.zeros(512, np.float32), np.zeros((2, 256), np.int16)):
        with pytest.raises(ValueError, match="512"):
            AdpcmEncoder().encode(wrong)  # type: ignore[arg-type]
