"""Voice messages, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import RATE_HZ
from relay.telegram import ogg
from relay.telegram.voice import VoiceError, heard, spoken
from tests.fakes import relay as fake_relay
from tests.fakes.telegram import OWNER, TOKEN, FakeTelegram


def tone(seconds: float = 1.0) -> bytes:
    t = np.arange(round(24_000 * seconds)) / 24_000
    return spoken([(9_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)], 24_000)


@given(st.lists(st.binary(min_size=1, max_size=700), max_size=30))
def test_packets_come_back_as_they_were(packets: list[bytes]) -> None:
    assert list(ogg.read(ogg.write(packets, 2_880, 24_000)).packets) == packets


@given(st.binary(max_size=300))
def test_what_is_no_voice_message_is_refused(data: bytes) -> None:
    with pytest.raises(VoiceError):
        heard(data)


def test_a_tone_is_the_same_tone_behind_opus() -> None:
    pcm = heard(tone())
    spectrum = np.abs(np.fft.rfft(pcm[:RATE_HZ]))
    assert abs(int(spectrum.argmax()) - 440 * len(pcm[:RATE_HZ]) / RATE_HZ) < 4


async def test_a_voice_message_is_heard_and_answered_in_both_ways(telegram: FakeTelegram) -> None:
    settings = {"token": TOKEN, "allowed": [OWNER], "api": telegram.url, "voice": True}
    async with fake_relay.running(telegram=settings) as relay:
        telegram.speak(tone(), 1)
        await telegram.until(lambda: telegram.called("sendVoice"))
        assert relay.llm.requests[0].text == "안녕"
        assert telegram.texts() == ["그건 나도 잘 모르겠어."]
        telegram.speak(b"OggS" + bytes(50), 1)
        await telegram.until(lambda: len(telegram.texts()) == 2)
        assert len(relay.llm.requests) == 1
