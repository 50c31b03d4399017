from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from relay.audio import Pcm
from tools.fake_gemini import voice
from tools.fake_gemini.answers import Answers
from tools.fake_gemini.replies import Form, Item
from tools.fake_gemini.request import Asked

Asking = Callable[..., Asked]
SCHEMA = {
    "type": "OBJECT",
    "properties": {
        "heard": {"type": "STRING", "enum": ["speech", "noise", "none"]},
        "transcript": {"type": "STRING"},
        "emotion": {"type": "STRING", "enum": ["happy", "sad"]},
        "reply": {"type": "STRING"},
        "memory_note": {"type": "STRING", "nullable": True},
    },
    "propertyOrdering": ["heard", "transcript", "emotion", "reply", "memory_note"],
}
JSON = {"generationConfig": {"responseMimeType": "application/json", "responseSchema": SCHEMA}}


def parts(items: Sequence[Item]) -> list[Any]:
    assert all(isinstance(item, dict) for item in items)
    contents = [item["candidates"][0]["content"] for item in items]  # type: ignore[index]
    return [part for content in contents for part in content.get("parts", ())]


def text(items: Sequence[Item]) -> str:
    return "".join(part["text"] for part in parts(items))


def last(items: Sequence[Item]) -> Any:
    return items[-1]


@pytest.fixture
def answers() -> Answers:
    return Answers(Random(3))


def hearing(pcm: Pcm) -> dict[str, Any]:
    part = {
        "inlineData": {"mimeType": "audio/wav", "data": base64.b64encode(voice.wav(pcm)).decode()}
    }
    return {"contents": [{"role": "user", "parts": [part]}], **JSON}


def test_streams_small_pieces_and_ends_with_a_reason(answers: Answers, asking: Asking) -> None:
    items = answers.to(asking(), "sse")
    assert len(items) > 1
    reasons = [item["candidates"][0].get("finishReason") for item in items]  # type: ignore[index]
    assert reasons == [None] * (len(items) - 1) + ["STOP"]


def test_json_fits_its_schema_however_it_is_cut(answers: Answers, asking: Asking) -> None:
    written = [text(answers.to(asking(**JSON), "sse")) for _ in range(200)]
    for whole in written:
        value = json.loads(whole)
        assert list(value) == SCHEMA["propertyOrdering"]
        assert value["heard"] == "speech"
        assert value["emotion"] in ("happy", "sad")
        assert value["reply"]
        assert value["memory_note"] is None or value["memory_note"]
    assert any("\\u" in whole for whole in written)  # escapes, and cuts within them


def test_an_escape_is_split(answers: Answers, asking: Asking) -> None:
    ends = [part["text"] for _ in range(200) for part in parts(answers.to(asking(**JSON), "sse"))]
    assert any(end.endswith(("\\", "\\u", "\\uc", "\\uac")) for end in ends)


def test_any_json_is_an_answer_where_no_schema_is_given(answers: Answers, asking: Asking) -> None:
    config = {"responseMimeType": "application/json"}
    assert json.loads(text(answers.to(asking(generationConfig=config), "sse")))["reply"]


def test_silence_is_heard_as_nothing(answers: Answers, asking: Asking, tone: Pcm) -> None:
    heard = json.loads(text(answers.to(asking(**hearing(tone)), "sse")))
    assert (heard["heard"], bool(heard["transcript"]), bool(heard["reply"])) == (
        "speech",
        True,
        True,
    )
    silence = json.loads(text(answers.to(asking(**hearing(tone * 0)), "sse")))
    assert (silence["heard"], silence["transcript"], silence["reply"]) == ("none", "", "")


def test_usage_counts_text_and_audio_apart(answers: Answers, asking: Asking, tone: Pcm) -> None:
    usage = last(answers.to(asking(**hearing(tone)), "sse"))["usageMetadata"]
    audio = round(len(tone) / voice.RATE_HZ * 32)
    assert {"modality": "AUDIO", "tokenCount": audio} in usage["promptTokensDetails"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]


def test_thoughts_eat_the_tokens_of_the_answer(answers: Answers, asking: Asking) -> None:
    config = {"maxOutputTokens": 100}
    items = answers.to(asking(model="gemini-3.6-flash", generationConfig=config), "sse")
    assert parts(items) == []
    assert last(items)["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert last(items)["usageMetadata"]["thoughtsTokenCount"] == 100


def test_an_answer_ends_at_its_last_token(answers: Answers, asking: Asking) -> None:
    items = answers.to(asking(generationConfig={"maxOutputTokens": 3}), "sse")
    assert 1 <= len(text(items)) <= 12
    assert last(items)["candidates"][0]["finishReason"] == "MAX_TOKENS"


def speaking(model: str, asking: Asking, said: str = "안녕, 나는 차차야.") -> Asked:
    return asking(said, model=model, generationConfig={"responseModalities": ["AUDIO"]})


@pytest.mark.parametrize("model", ["gemini-3.8-flash-tts", "gemini-2.5-flash-preview-tts"])
def test_a_voice_streams_samples(answers: Answers, asking: Asking, model: str) -> None:
    streamed = parts(answers.to(speaking(model, asking), "sse"))
    assert {part["inlineData"]["mimeType"] for part in streamed} == {voice.MIME}
    raw = b"".join(base64.b64decode(part["inlineData"]["data"]) for part in streamed)
    pcm = np.frombuffer(raw, "<i2")
    assert 1 < len(pcm) / voice.RATE_HZ < 3
    assert np.abs(pcm).max() > 1_000


@pytest.mark.parametrize(
    ("model", "form", "wav"),
    [
        ("gemini-3.8-flash-tts", "unary", True),
        ("gemini-3.1-flash-tts-preview", "unary", False),
        ("gemini-3.8-flash-tts", "array", False),
    ],
)
def test_in_one_piece_the_newest_voice_gives_a_file(
    answers: Answers, asking: Asking, model: str, form: Form, wav: bool
) -> None:
    data = base64.b64decode(
        parts(answers.to(speaking(model, asking), form))[0]["inlineData"]["data"]
    )
    assert data.startswith(b"RIFF") is wav
    if wav:
        with wave.open(io.BytesIO(data)) as file:
            assert file.getframerate() == voice.RATE_HZ
            assert file.getnframes() > voice.RATE_HZ
