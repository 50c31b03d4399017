from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind
from relay.stt.base import SpeechToText
from relay.stt.openai import OpenAISpeechToText
from tests.fakes import openai_audio as fakes
from tests.fakes.openai import error
from tests.fakes.openai_audio import KEY, MODEL, FakeAudio, heard, segment, serving_audio
from tests.relay.llm.contract import leaks
from tests.relay.stt.contract import FarSide, RemoteSpeechToTextContract, failure
from tools.fake_gemini.http import Reply, Step

SPEECH: Pcm = (8_000 * np.sin(np.arange(RATE_HZ) / 9)).astype(np.int16)


@pytest.fixture
async def server() -> AsyncIterator[FakeAudio]:
    async with serving_audio() as server:
        yield server


@asynccontextmanager
async def stt_at(
    server: FakeAudio, model: str = MODEL, **options: object
) -> AsyncIterator[OpenAISpeechToText]:
    options.setdefault("timeout_s", 60.0)
    stt = OpenAISpeechToText(server.url, model, **options)  # type: ignore[arg-type]
    try:
        yield stt
    finally:
        await stt.close()


class TestOpenAI(RemoteSpeechToTextContract):
    @pytest.fixture
    def speech(self) -> Pcm:
        return SPEECH

    @pytest.fixture
    def far_side(self, server: FakeAudio) -> FarSide:
        @asynccontextmanager
        async def make(timeout_s: float) -> AsyncIterator[SpeechToText]:
            async with stt_at(server, timeout_s=timeout_s) as stt:
                yield stt

        return FarSide(
            journal=server.journal,
            play=server.play,
            make=make,
            heard=heard,
            heard_in=lambda text, language: heard(text, language=language),
            no_headers=Reply(status=None, body=(Step.HANG,)),
            stuck=Reply(body=(b'{"te', Step.HANG)),
            cut=Reply(body=(b'{"te', Step.DROP)),
            overloaded=error(503, "Service is overloaded."),
            garbage=(
                Reply(content_type="text/html", body=(b"<html>oops</html>",)),
                Reply(body=(b'{"transcript": "hello"}',)),
                Reply(body=(b'{"text": [1, 2]}',)),
                Reply(body=(b"null",)),
                Reply(body=()),
            ),
            endless=Reply(body=(b'{"text": "', *(b"a" * 65_536,) * 32, b'"}')),
        )


async def test_the_utterance_is_sent_as_it_is(server: FakeAudio) -> None:
    async with stt_at(server) as stt:
        await stt.transcribe(SPEECH, ["ko"])
    [upload] = server.uploads
    assert (upload.rate_hz, upload.channels) == (RATE_HZ, 1)
    assert np.array_equal(upload.utterance, SPEECH)


async def test_one_language_is_told_and_several_are_left_to_the_server(server: FakeAudio) -> None:
    async with stt_at(server) as stt:
        await stt.transcribe(SPEECH, ["en"])
        await stt.transcribe(SPEECH, ["ko", "en"])
    async with stt_at(server, detect="auto") as stt:
        await stt.transcribe(SPEECH, ["ko", "en"])
    told = [upload.fields.get("language") for upload in server.uploads]
    assert told == [["en"], None, ["auto"]]


async def test_an_utterance_of_minutes_is_cut_to_one(server: FakeAudio) -> None:
    async with stt_at(server) as stt:
        await stt.transcribe(np.tile(SPEECH, 90), ["ko"])
    assert len(server.uploads[0].utterance) == 60 * RATE_HZ


async def test_a_server_without_the_verbose_form_is_asked_for_it_once(server: FakeAudio) -> None:
    server.refuses_verbose = True
    async with stt_at(server) as stt:
        for _ in range(3):
            assert (await stt.transcribe(SPEECH, ["ko", "en"])).language == "ko"
    asked = [upload.fields["response_format"][0] for upload in server.uploads]
    assert asked == ["verbose_json", "json", "json", "json"]


async def test_a_form_that_was_set_is_kept(server: FakeAudio) -> None:
    server.refuses_verbose = True
    async with stt_at(server, response_format="verbose_json") as stt:
        assert (await failure(stt, SPEECH)).kind is ErrorKind.BAD_REQUEST
    async with stt_at(server, response_format="json") as stt:
        assert (await stt.transcribe(SPEECH, ["ko"])).text == "안녕?"


async def test_openais_newer_models_are_told_the_languages_and_asked_in_short(
    server: FakeAudio,
) -> None:
    async with stt_at(server, "gpt-transcribe") as stt:
        with pytest.raises(Exception, match="gpt-transcribe"):
            await stt.transcribe(SPEECH, ["ko", "en"])
    [upload] = server.uploads
    assert upload.fields["response_format"] == ["json"]
    assert upload.fields["languages[]"] == ["ko", "en"]


async def test_without_a_told_language_the_letters_decide(server: FakeAudio) -> None:
    server.play(heard("What is this?"), heard("이게 뭐야?"))
    async with stt_at(server, response_format="json") as stt:
        assert (await stt.transcribe(SPEECH, ["ko", "en"])).language == "en"
        assert (await stt.transcribe(SPEECH, ["en", "ko"])).language == "ko"


async def test_only_what_was_said_is_kept_of_an_answer(server: FakeAudio) -> None:
    server.play(
        heard(
            "…",
            language="ko",
            segments=[
                segment(" 곰 세 마리가", 0.02, -0.2),
                segment(" 시청해 주셔서 감사합니다.", 0.1, -0.6),
                segment(" 한 집에 있어.", 0.03, -0.3),
                segment(" 고춧가루", 0.9, -1.4),
            ],
        )
    )
    async with stt_at(server) as stt:
        assert (await stt.transcribe(SPEECH, ["ko"])).text == "곰 세 마리가 한 집에 있어."


async def test_noise_is_not_asked_for_again_in_another_language(server: FakeAudio) -> None:
    server.play(heard("you", language="de", segments=[segment("you", 0.93, -2.0)]))
    async with stt_at(server) as stt:
        assert (await stt.transcribe(SPEECH, ["ko", "en"])).text == ""
    assert len(server.uploads) == 1


async def test_a_prompt_is_sent_only_if_it_is_set(server: FakeAudio) -> None:
    async with stt_at(server) as stt:
        await stt.transcribe(SPEECH, ["ko"])
    async with stt_at(server, prompt="차차, 진주") as stt:
        await stt.transcribe(SPEECH, ["ko"])
    assert [upload.fields.get("prompt") for upload in server.uploads] == [None, ["차차, 진주"]]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), ErrorKind.AUTH),
        (error(429, "Slow down.", headers=(("retry-after", "7"),)), ErrorKind.RATE),
        (error(429, "You exceeded.", code="insufficient_quota"), ErrorKind.QUOTA),
        (error(413, "Too large."), ErrorKind.BAD_REQUEST),
        (error(500, "Oops."), ErrorKind.SERVER),
    ],
)
async def test_a_failure_has_its_kind_and_tells_no_key(
    server: FakeAudio, reply: Reply, kind: ErrorKind
) -> None:
    server.play(reply)
    async with stt_at(server, key=KEY, response_format="json") as stt:
        caught = await failure(stt, SPEECH)
    assert caught.kind is kind
    assert caught.__context__ is None
    assert not leaks(caught, KEY)


async def test_it_sends_its_key_and_no_other(
    server: FakeAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    async with stt_at(server) as stt:
        await stt.transcribe(SPEECH, ["ko"])
    async with stt_at(server, key=fakes.KEY) as stt:
        await stt.transcribe(SPEECH, ["ko"])
    sent = [seen.headers.get("authorization") for seen in server.journal.requests]
    assert sent == [None, f"Bearer {fakes.KEY}"]
