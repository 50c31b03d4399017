from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.codecs.pcm import PcmDecoder, PcmEncoder
from relay.wire.errors import ErrorCode, WireError


def test_samples_are_little_endian() -> None:
    frame = np.zeros(512, np.int16)
    frame[:2] = 1, -2
    packet = PcmEncoder().encode(frame)
    assert len(packet) == 1024
    assert packet[:4] == b"\x01\x00\xfe\xff"


@given(st.integers(320, 1920))
def test_20_to_120_ms_are_taken_at_once(samples: int) -> None:
    sound = np.arange(samples).astype(np.int16)
    decoded = PcmDecoder().decode(memoryview(sound.astype("<i2").tobytes()))
    assert decoded.dtype == np.int16
    assert np.array_equal(decoded, sound)


@pytest.mark.parametrize("size", [0, 2, 638, 641, 1023, 3842])
def test_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(WireError) as caught:
        PcmDecoder().decode(bytes(size))
    assert caught.value.code is ErrorCode.BAD_AUDIO
    assert caught.value.close is None


def test_only_whole_frames_are_encoded() -> None:
    with pytest.raises(ValueError, match="512"):
        PcmEncoder().encode(np.zeros(100, np.int16))
