"""From a valid request to the chunks of its answer."""

from __future__ import annotations

import base64
from bisect import bisect_right
from random import Random
from typing import Any

from tools.fake_gemini import voice
from tools.fake_gemini.replies import Form, Item
from tools.fake_gemini.request import VOICES, Asked, count_tokens
from tools.fake_gemini.talk import Talk

_THOUGHT_TOKENS = 200


class Answers:
    """Makes answers, all from one seed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._talk = Talk(random)

    def to(self, asked: Asked, form: Form) -> tuple[Item, ...]:
        """The chunks of an answer. Raises SchemaError."""
        if asked.model.speaks:
            return self._spoken(asked, form)
        thoughts = _THOUGHT_TOKENS if asked.thinks else 0
        allowed = max(0, asked.max_tokens - thoughts)
        text = self._talk.answer(asked)
        said = _cut(text, allowed)
        finish = "STOP" if said == text else "MAX_TOKENS"
        pieces = list(self._talk.pieces(said))
        parts: list[dict[str, Any] | None] = [{"text": piece} for piece in pieces] or [None]
        return self._chunks(
            asked, parts, finish, count_tokens(said), min(thoughts, asked.max_tokens)
        )

    def _spoken(self, asked: Asked, form: Form) -> tuple[Item, ...]:
        pcm = voice.speech(asked.turns[-1].text, VOICES.index(asked.voice))
        if form == "unary":
            whole = voice.wav(pcm) if asked.model.wav else pcm.astype("<i2").tobytes()
            parts = [_inline(voice.WAV_MIME if asked.model.wav else voice.MIME, whole)]
        else:
            parts = [_inline(voice.MIME, piece) for piece in voice.chunks(pcm)]
        tokens = round(len(pcm) / voice.RATE_HZ * voice.TOKENS_PER_SECOND)
        return self._chunks(asked, list(parts), "STOP", tokens, 0)

    def _chunks(
        self,
        asked: Asked,
        parts: list[dict[str, Any] | None],
        finish: str,
        output: int,
        thoughts: int,
    ) -> tuple[Item, ...]:
        usage = _usage(asked, output, thoughts)
        response = f"{self._random.getrandbits(96):024x}"
        chunks: list[Item] = []
        for number, part in enumerate(parts, 1):
            content = {"role": "model"} if part is None else {"role": "model", "parts": [part]}
            candidate: dict[str, Any] = {"content": content, "index": 0}
            if number == len(parts):
                candidate["finishReason"] = finish
            chunks.append(
                {
                    "candidates": [candidate],
                    "usageMetadata": usage,
                    "modelVersion": asked.model.name,
                    "responseId": response,
                }
            )
        return tuple(chunks)


def _cut(text: str, tokens: int) -> str:
    """As much of the text as `tokens` output tokens hold."""
    lengths = range(len(text) + 1)
    fits = bisect_right(lengths, tokens, key=lambda length: count_tokens(text[:length]))
    return text[: fits - 1]


def _usage(asked: Asked, output: int, thoughts: int) -> dict[str, Any]:
    text, audio, pictures = asked.text_tokens, asked.audio_tokens, asked.picture_tokens
    details = [{"modality": "TEXT", "tokenCount": text}]
    if audio:
        details.append({"modality": "AUDIO", "tokenCount": audio})
    if pictures:
        details.append({"modality": "IMAGE", "tokenCount": pictures})
    usage: dict[str, Any] = {
        "promptTokenCount": asked.input_tokens,
        "candidatesTokenCount": output,
        "totalTokenCount": asked.input_tokens + output + thoughts,
        "promptTokensDetails": details,
    }
    return usage | ({"thoughtsTokenCount": thoughts} if thoughts else {})


def _inline(mime: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}
