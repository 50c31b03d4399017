from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.codecs import downlink, make_decoder, make_encoder
from relay.wire.errors import CloseCode, ErrorCode, WireError
from relay.wire.messages import AudioParams

GOOD = [
    AudioParams("pcm", 16_000, 1, 32),
    AudioParams("pcm", 16_000, 1, 60),
    AudioParams("adpcm", 16_000, 1, 32),
    AudioParams("opus", 16_000, 1, 60),
    AudioParams("opus", 48_000, 1, 20),
]


@pytest.mark.parametrize("uplink", GOOD)
def test_the_downlink_that_is_announced_is_the_one_that_is_encoded(uplink: AudioParams) -> None:
    pytest.importorskip("opuslib_next")
    encoder, said = make_encoder(uplink), downlink(uplink)
    assert said.format == uplink.format
    assert said.sample_rate == encoder.rate_hz
    assert said.frame_duration == encoder.frame_samples * 1000 // encoder.rate_hz
    packet = encoder.encode(np.zeros(encoder.frame_samples, np.int16))
    heard = make_decoder(said).decode(packet)
    assert len(heard) == 16 * said.frame_duration


@pytest.mark.parametrize(
    ("uplink", "hint"),
    [
        (AudioParams("mp3", 16_000, 1, 32), "opus or pcm or adpcm"),
        (AudioParams("pcm", 8_000, 1, 32), "use 16000"),
        (AudioParams("pcm", 16_000, 2, 32), "use 1"),
        (AudioParams("pcm", 16_000, 1, 10), "20 to 120"),
        (AudioParams("adpcm", 16_000, 1, 60), "use 32"),
        (AudioParams("opus", 44_100, 1, 60), "48000"),
        (AudioParams("opus", 16_000, 1, 5), "20 to 120"),
    ],
)
def test_a_format_that_is_not_spoken_is_refused_with_what_is(
    uplink: AudioParams, hint: str
) -> None:
    for ask in (make_decoder, make_encoder, downlink):
        with pytest.raises(WireError, match=hint) as caught:
            ask(uplink)
        assert caught.value.code is ErrorCode.UNSUPPORTED_FORMAT
        assert caught.value.close is CloseCode.UNSUPPORTED_FORMAT


@given(
    st.builds(
        AudioParams,
        st.text(max_size=128) | st.sampled_from(["pcm", "adpcm"]),
        st.integers(0, 1_000_000),
        st.integers(0, 1_000_000),
        st.integers(0, 1_000_000),
    )
)
def test_any_parameters_are_accepted_or_refused_in_a_short_line(uplink: AudioParams) -> None:
    try:
        make_decoder(uplink)
    except WireError as error:
        refusal = error
    else:
        return
    assert refusal.close is CloseCode.UNSUPPORTED_FORMAT
    assert len(refusal.message) < 120
