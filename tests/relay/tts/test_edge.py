from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from edge_tts import communicate

from relay.errors import ErrorKind, ProviderError
from relay.streaming import Deadlines
from relay.tts.edge import EdgeTextToSpeech
from relay.tts.settings import EDGE_VOICES
from tests.fakes import mp3
from tests.fakes.edge import TONE, FakeEdge, Reply, serving_edge, speech, text
from tests.relay.tts.contract import (
    PATIENT,
    FarSide,
    RemoteTextToSpeechContract,
    failure,
    spoken,
)
from tools.fake_gemini.http import Step


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeEdge]:
    async with serving_edge() as service:
        monkeypatch.setattr(communicate, "WSS_URL", service.url)
        yield service


@asynccontextmanager
async def voice(deadlines: Deadlines = PATIENT, **options: str) -> AsyncIterator[EdgeTextToSpeech]:
    tts = EdgeTextToSpeech(EDGE_VOICES, deadlines=deadlines, **options)
    try:
        yield tts
    finally:
        await tts.close()


class TestEdge(RemoteTextToSpeechContract):
    voices = ("ko-KR-SunHiNeural", "ko-KR-InJoonNeural")
    unknown = ("no-such-voice", "ko-KR-NobodyNeural")

    @pytest.fixture
    def far_side(self, service: FakeEdge) -> FarSide:
        tone = mp3.encode(TONE)
        return FarSide(
            play=service.play,
            make=voice,
            requests=lambda: service.connections,
            disconnected=service.disconnected,
            speech=speech(tone),
            silence=speech(mp3.encode(0 * TONE)),
            stuck=speech(tone, then=Step.HANG),
            cut=speech(tone, then=Step.DROP),
            no_headers=Reply(then=Step.HANG),
            overloaded=Reply(status=503),
            garbage=(
                Reply((text("turn.start"), text("who.knows"))),
                Reply((text("turn.start"), text("turn.end"))),
                Reply(("no header at all",)),
                Reply((b"\xff",)),
                Reply((b"\xff\xffshort",)),
                speech(b"<html>oops</html>" * 50),
            ),
            endless=speech(mp3.encode(np.tile(TONE, 140)), then=Step.HANG),
        )


async def test_each_language_has_its_voice(service: FakeEdge) -> None:
    async with voice(rate="-10%", pitch="+20Hz") as tts:
        await spoken(tts, "안녕 <진주> & 차차", "ko")
        await spoken(tts, "Hello", "en")
    assert [asked.voice.split()[-1] for asked in service.asked] == ["SunHiNeural)", "AnaNeural)"]
    assert service.asked[0].text == "안녕 &lt;진주&gt; &amp; 차차"
    assert (service.asked[0].rate, service.asked[0].pitch) == ("-10%", "+20Hz")


async def test_a_dolls_voice_speaks_its_own_language_only(service: FakeEdge) -> None:
    async with voice() as tts:
        await spoken(tts, "안녕", "ko", "ko-KR-InJoonNeural")
        await spoken(tts, "Hello", "en", "ko-KR-InJoonNeural")
        await spoken(tts, "Bonjour", "fr", "fr-FR-DeniseNeural")  # not one of the settings
    names = [asked.voice.split()[-1] for asked in service.asked]
    assert names == ["InJoonNeural)", "AnaNeural)", "DeniseNeural)"]


async def test_the_silence_that_the_service_sends_around_speech_is_cut(service: FakeEdge) -> None:
    quiet = np.zeros(mp3.RATE_HZ, np.int16)
    service.play(speech(mp3.encode(np.concatenate([quiet, TONE, quiet]))))
    async with voice() as tts:
        pcm = np.concatenate(await spoken(tts, "안녕"))
    assert len(pcm) / tts.rate_hz == pytest.approx(0.5 + 0.1, abs=0.1)


async def test_a_clock_that_is_wrong_is_corrected_in_the_same_clause(service: FakeEdge) -> None:
    service.play(Reply(status=403))
    async with voice() as tts:
        assert await spoken(tts, "안녕")
    assert service.connections == 2


@pytest.mark.parametrize(("status", "kind"), [(429, ErrorKind.RATE), (500, ErrorKind.SERVER)])
async def test_a_refusal_has_its_kind(service: FakeEdge, status: int, kind: ErrorKind) -> None:
    service.play(Reply(status=status))
    async with voice() as tts:
        assert (await failure(tts)).kind is kind


async def test_a_service_that_is_not_there_is_a_network_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(communicate, "WSS_URL", "ws://127.0.0.1:1/edge/v1?x=1")
    async with voice() as tts:
        assert (await failure(tts)).kind is ErrorKind.NETWORK


def test_a_voice_that_cannot_be_is_refused_at_the_start() -> None:
    with pytest.raises(ProviderError, match=r"tts\.edge"):
        EdgeTextToSpeech({"ko": "jf_gongitsune"})


async def test_a_service_that_answers_no_goodbye_holds_nobody_up(service: FakeEdge) -> None:
    service.deaf = asyncio.Event()
    service.play(speech(mp3.encode(TONE), then=Step.HANG))
    async with voice() as tts:
        async with asyncio.timeout(5), contextlib.aclosing(tts.speak("안녕", "ko")) as chunks:
            await anext(chunks)
        service.deaf.set()
        async with asyncio.timeout(20):
            await service.disconnected.wait()


async def test_a_language_without_a_voice_is_a_bad_request() -> None:
    async with voice() as tts:
        with pytest.raises(ProviderError, match="'fr'") as caught:
            await spoken(tts, "Bonjour", "fr")
    assert caught.value.kind is ErrorKind.BAD_REQUEST
