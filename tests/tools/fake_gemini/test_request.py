from __future__ import annotations

import base64
import contextlib
import io
import json
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fake_gemini.models import catalogue
from tools.fake_gemini.request import PICTURE_TOKENS, Asked, InvalidError, count_tokens, read

FLASH = catalogue().models["gemini-3.6-flash"]
Asking = Callable[..., Asked]


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.full(int(seconds * 16_000), 5_000, "<i2").tobytes())
    return file.getvalue()


def user(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def inline(data: bytes, mime: str = "audio/wav") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}


def test_a_question_is_read(asking: Asking) -> None:
    asked = asking("안녕?", systemInstruction={"parts": [{"text": "너는 인형"}]})
    assert (asked.system, asked.turns[-1].text, asked.schema) == ("너는 인형", "안녕?", None)


def test_names_may_be_in_camel_or_snake_case() -> None:
    for config, schema in (
        ("generationConfig", "responseSchema"),
        ("generation_config", "response_schema"),
    ):
        mime = "responseMimeType" if schema == "responseSchema" else "response_mime_type"
        body = {
            "contents": [user({"text": "x"})],
            config: {mime: "application/json", schema: {"type": "OBJECT"}},
        }
        assert read(json.dumps(body).encode(), FLASH).schema == {"type": "OBJECT"}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_recording_is_decoded_and_counted(encode: Callable[[bytes], bytes]) -> None:
    data = {"mime_type": "audio/wav", "data": encode(wav(2.0)).decode()}
    body = {"contents": [user({"inline_data": data}, {"text": "Answer."})]}
    asked = read(json.dumps(body).encode(), FLASH)
    assert asked.sounds[0].seconds == 2.0
    assert asked.audio_tokens == 64
    assert asked.turns[0].text == "Answer."


def test_a_photo_is_counted_and_must_be_one() -> None:
    jpeg = b"\xff\xd8\xff\xe0"
    body = {"contents": [user({"text": "뭐야?"}, inline(jpeg, "image/jpeg"))]}
    asked = read(json.dumps(body).encode(), FLASH)
    assert [picture.data for picture in asked.pictures] == [jpeg]
    assert asked.input_tokens == asked.text_tokens + PICTURE_TOKENS
    for data, mime in ((b"GIF89a", "image/jpeg"), (jpeg, "image/gif")):
        body = {"contents": [user(inline(data, mime))]}
        with pytest.raises(InvalidError, match="Unable to process input image"):
            read(json.dumps(body).encode(), FLASH)


def test_two_scripts_have_their_own_tokens() -> None:
    assert count_tokens("abcdefgh") == 2
    assert count_tokens("안녕하") == 2
    assert count_tokens("") == 0


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": "hi"}, "contents is not specified"),
        ({"contents": [user({"text": "a"}), user({"text": "b"})]}, "alternate"),
        ({"contents": [user({"text": "a"}, role="model")]}, "alternate"),
        ({"contents": [user({"text": "a"}, role="system")]}, "valid role"),
        ({"contents": [user({"text": ""})]}, "text parameter"),
        ({"contents": [user()]}, "at least one"),
        ({"contents": [user(inline(b"garbage"))]}, "process input audio"),
        ({"contents": [user({"inlineData": {"mimeType": "audio/wav", "data": "!"}})]}, "Base64"),
        ({"content": []}, 'Unknown name "content"'),
        ({"generationConfig": {"max_tokens": 5}}, "Unknown name.*at 'generation_config'"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "positive"),
        ({"generationConfig": {"responseMimeType": "image/png"}}, "mime type"),
        ({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "application/json"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "response modalities"),
        ({"safetySettings": [{"category": "HARM_CATEGORY_RUDE"}]}, "safety_settings"),
        (
            {
                "safetySettings": [
                    {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ALL"}
                ]
            },
            "BLOCK_ALL",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(
    asking: Asking, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidError, match=why):
        asking(**fields)


@pytest.mark.parametrize(
    ("model", "fields", "why"),
    [
        (
            "gemma-3-27b-it",
            {"systemInstruction": {"parts": [{"text": "x"}]}},
            "Developer instruction is not enabled for models/gemma-3-27b-it",
        ),
        (
            "gemini-3.8-flash-tts",
            {"systemInstruction": {"parts": [{"text": "x"}]}},
            "Developer instruction",
        ),
        (
            "gemma-3-27b-it",
            {"generationConfig": {"responseMimeType": "application/json"}},
            "JSON mode is not enabled",
        ),
        ("gemma-4-31b-it", {"contents": [user(inline(wav(0.1)))]}, "Audio input modality"),
        ("gemini-3.8-flash-tts", {}, "accepts the following"),
        (
            "gemini-3.8-flash",
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}},
            "Thinking level MINIMAL is not supported",
        ),
        (
            "gemma-4-31b-it",
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
            "Thinking budget",
        ),
        (
            "gemini-3.8-flash-tts",
            {
                "generationConfig": {
                    "responseModalities": ["AUDIO"],
                    "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Siri"}}},
                }
            },
            "Voice name Siri is not supported",
        ),
    ],
)
def test_each_model_refuses_what_it_cannot_do(
    asking: Asking, model: str, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidError, match=why):
        asking(model=model, **fields)


@pytest.mark.parametrize(
    ("model", "thinking", "thinks"),
    [
        ("gemini-3.5-flash-lite", None, False),
        ("gemini-3.6-flash", None, True),
        ("gemini-3.6-flash", {"thinking_level": "MINIMAL"}, False),
        ("gemini-3.8-flash", {"thinkingLevel": "LOW"}, True),
        ("gemini-2.5-flash", {"thinking_budget": 0}, False),
        ("gemini-2.5-flash", None, True),
    ],
)
def test_a_model_thinks_unless_it_is_told_not_to(
    asking: Asking, model: str, thinking: dict[str, Any] | None, thinks: bool
) -> None:
    config = {"thinkingConfig": thinking} if thinking else {}
    assert asking(model=model, generationConfig=config).thinks is thinks


FIELDS = st.sampled_from(
    ["contents", "parts", "text", "role", "inlineData", "mimeType", "data", "systemInstruction",
     "generationConfig", "thinkingConfig", "thinkingLevel", "thinkingBudget", "speechConfig",
     "responseSchema", "responseMimeType", "responseModalities", "safetySettings", "category",
     "maxOutputTokens", "voiceConfig"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=20,
)


@given(ANYTHING, st.sampled_from(list(catalogue().models.values())))
def test_any_json_is_read_or_refused(body: Any, model: Any) -> None:
    with contextlib.suppress(InvalidError):
        read(json.dumps(body).encode(), model)


@given(ANYTHING, FIELDS)
def test_any_value_of_any_field_is_read_or_refused(value: Any, name: str) -> None:
    for body in (
        {"contents": [user({"text": "x"})], name: value},
        {"contents": [user({"text": "x"})], "generationConfig": {name: value}},
        {"contents": [user({name: value})]},
        {"contents": [user({"inlineData": {"mimeType": "audio/wav", name: value}})]},
    ):
        with contextlib.suppress(InvalidError):
            read(json.dumps(body).encode(), catalogue().models["gemini-3.8-flash-tts"])
        with contextlib.suppress(InvalidError):
            read(json.dumps(body).encode(), FLASH)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidError, match="JSON"):
        read(body, FLASH)
