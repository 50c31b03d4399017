from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from relay import wav
from relay.errors import ErrorKind, ModelGoneError
from relay.gemini_server import GeminiServer
from relay.quota.base import Later, NotToday, OverError, SupersededError
from relay.streaming import Deadlines
from relay.tts.base import TextToSpeech
from relay.tts.fallback import FallbackTextToSpeech
from relay.tts.gemini import GeminiTextToSpeech
from tests.fakes import gemini as fakes
from tests.fakes.gemini import KEY, FakeGemini, serving_gemini
from tests.fakes.openai_audio import TONE
from tests.fakes.quota import ScriptedQuota
from tests.fakes.tts import FakeTextToSpeech
from tests.relay.llm.contract import leaks
from tests.relay.tts.contract import (
    PATIENT,
    FarSide,
    RemoteTextToSpeechContract,
    failure,
    spoken,
)
from tools.fake_gemini.http import Step

MODEL = "gemini-3.8-flash-lite-tts"
RAW = "audio/L16;codec=pcm;rate=24000"


def sound(data: bytes, mime: str = RAW, finish: str | None = None) -> dict[str, Any]:
    """A chunk of an answer."""
    part = {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


def pieces(data: bytes) -> list[Mapping[str, Any]]:
    return [sound(data[at : at + 9_601]) for at in range(0, len(data), 9_601)]


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@pytest.fixture
def quota() -> ScriptedQuota:
    return ScriptedQuota()


@asynccontextmanager
async def voice(
    server: FakeGemini,
    quota: ScriptedQuota | None = None,
    model: str = MODEL,
    name: str = "Leda",
    **options: object,
) -> AsyncIterator[GeminiTextToSpeech]:
    options.setdefault("deadlines", PATIENT)
    access = GeminiServer(KEY, server.url)
    tts = GeminiTextToSpeech(access, quota or ScriptedQuota(), model, name, **options)  # type: ignore[arg-type]
    try:
        yield tts
    finally:
        await tts.close()


class TestGemini(RemoteTextToSpeechContract):
    voices = ("Puck", "kore")

    @pytest.fixture
    def far_side(self, server: FakeGemini) -> FarSide:
        @asynccontextmanager
        async def make(deadlines: Deadlines) -> AsyncIterator[TextToSpeech]:
            async with voice(server, deadlines=deadlines) as tts:
                yield tts

        tone = pieces(TONE.tobytes())
        return FarSide(
            play=server.play,
            make=make,
            requests=lambda: len(server.journal.requests),
            disconnected=server.journal.disconnected,
            speech=fakes.stream(*tone),
            silence=fakes.stream(sound(bytes(48_000))),
            stuck=fakes.stream(*tone, then=Step.HANG),
            cut=fakes.stream(*tone, then=Step.DROP),
            no_headers=fakes.no_headers(),
            overloaded=fakes.overloaded(),
            garbage=(
                fakes.stream(b"data: <html>oops</html>\n\n"),
                fakes.stream(),
                fakes.answer("I would rather write than speak."),
                fakes.stream(sound(b"ID3\x04" + bytes(4_000), "audio/mpeg")),
                fakes.stream(sound(b"<svg/>", "image/svg+xml")),
                fakes.no_text(),
            ),
            endless=fakes.stream(*(sound(TONE.tobytes()) for _ in range(140)), then=Step.HANG),
        )


async def test_the_request_holds_the_line_the_voice_and_the_style_apart(
    server: FakeGemini,
) -> None:
    async with voice(server, style="grumpy but kind") as tts:
        await spoken(tts, "흥, 왔어?")
    assert (
        server.journal.requests[-1].target.split("?")[0].endswith(f"/{MODEL}:streamGenerateContent")
    )
    [content] = server.last["contents"]
    [part] = content["parts"]
    assert part["text"] == "흥, 왔어?"
    assert "grumpy but kind" in str(part)
    config = server.last["generationConfig"]
    assert config["responseModalities"] == ["AUDIO"]
    assert "Leda" in str(config["speechConfig"])
    assert set(config) == {"responseModalities", "speechConfig"}


async def test_a_whole_wav_file_is_read_too(server: FakeGemini) -> None:
    server.play(fakes.stream(sound(wav.encode(TONE, 24_000), "audio/wav")))
    async with voice(server) as tts:
        assert len(np.concatenate(await spoken(tts, "안녕"))) > 10_000


async def test_each_line_is_asked_for_behind_the_turns_and_counted_once(
    server: FakeGemini, quota: ScriptedQuota
) -> None:
    async with voice(server, quota) as tts:
        await spoken(tts, "흥, 왔어?")
    assert [(grant.model, grant.tokens > 0) for grant in quota.granted] == [(MODEL, True)]
    assert quota.answers == [MODEL]
    assert quota.open_places == 0


async def test_nothing_is_sent_without_an_allowance(
    server: FakeGemini, quota: ScriptedQuota
) -> None:
    async with voice(server, quota, clock=lambda: 1_000.0) as tts:
        quota.admissions[MODEL] = Later(20)
        caught = await failure(tts)
        assert (caught.kind, caught.retry_after_s) == (ErrorKind.RATE, 20)
        quota.admissions[MODEL] = NotToday(4_600)
        caught = await failure(tts)
        assert (caught.kind, caught.retry_after_s) == (ErrorKind.QUOTA, 3_600)
        quota.admissions[MODEL] = NotToday(None)
        caught = await failure(tts)
        assert (caught.kind, caught.retry_after_s) == (ErrorKind.QUOTA, None)
    assert server.journal.requests == []
    assert (quota.granted, quota.open_places) == ([], 0)


async def test_a_line_that_may_wait_waits(server: FakeGemini, quota: ScriptedQuota) -> None:
    quota.admissions[MODEL] = Later(0.05)
    async with voice(server, quota, wait_s=1.0) as tts:
        assert await spoken(tts, "안녕")


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OverError(None), ErrorKind.QUOTA), (SupersededError(), ErrorKind.RATE)],
)
async def test_an_allowance_that_ends_while_it_waits_is_a_refusal(
    server: FakeGemini, quota: ScriptedQuota, error: Exception, kind: ErrorKind
) -> None:
    quota.error = error
    async with voice(server, quota) as tts:
        assert (await failure(tts)).kind is kind
    assert server.journal.requests == []


async def test_the_quota_learns_from_what_the_service_says(
    server: FakeGemini, quota: ScriptedQuota
) -> None:
    server.play(fakes.too_many_requests(fakes.DAY_ID, 10, "9h54m"), fakes.overloaded())
    async with voice(server, quota) as tts:
        assert (await failure(tts)).kind is ErrorKind.QUOTA
        quota.admissions.clear()
        assert (await failure(tts)).kind is ErrorKind.SERVER
    assert [model for model, _ in quota.refusals] == [MODEL]
    assert quota.failures == [MODEL]
    async with voice(server, quota, model="gemini-1.0-tts") as tts:
        assert isinstance(await failure(tts), ModelGoneError)
    assert quota.gone == ["gemini-1.0-tts"]


async def test_a_line_that_is_refused_is_blocked(server: FakeGemini) -> None:
    server.play(fakes.prompt_blocked(), fakes.no_text("PROHIBITED_CONTENT"))
    async with voice(server) as tts:
        for _ in range(2):
            assert (await failure(tts)).kind is ErrorKind.BLOCKED


async def test_an_unknown_voice_is_a_bad_request_that_names_it(server: FakeGemini) -> None:
    async with voice(server, name="jf_gongitsune") as tts:
        caught = await failure(tts)
    assert caught.kind is ErrorKind.BAD_REQUEST
    assert "jf_gongitsune" in caught.message
    assert not leaks(caught, KEY)
    assert caught.__context__ is None


async def test_when_it_is_used_up_the_usual_voice_speaks(
    server: FakeGemini, quota: ScriptedQuota
) -> None:
    quota.admissions[MODEL] = NotToday(None)
    async with voice(server, quota) as tts:
        both = FallbackTextToSpeech([("gemini", tts), ("usual", FakeTextToSpeech())])
        assert len(np.concatenate(await spoken(both, "안녕"))) == pytest.approx(12_000, abs=4)


async def test_closing_closes_the_ledger_too(server: FakeGemini, quota: ScriptedQuota) -> None:
    async with voice(server, quota):
        pass
    assert quota.closed
