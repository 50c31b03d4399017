"""A request for an answer: read as strictly as the service reads it.

Google's JSON takes every name in camelCase and in snake_case, and the SDK sends a mix of both; a
name that does not exist is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tools.fake_gemini.audio import TOKENS_PER_SECOND, Sound, SoundError, decode
from tools.fake_gemini.models import Model

_FIELDS = {
    "": "contents systemInstruction generationConfig safetySettings tools toolConfig "
    "cachedContent model labels serviceTier store",
    "generationConfig": "temperature topP topK candidateCount maxOutputTokens stopSequences seed "
    "presencePenalty frequencyPenalty responseMimeType responseSchema responseJsonSchema "
    "responseModalities speechConfig thinkingConfig mediaResolution responseLogprobs logprobs "
    "routingConfig modelSelectionConfig audioTimestamp enableEnhancedCivicAnswers imageConfig",
    "generationConfig.thinkingConfig": "thinkingBudget thinkingLevel includeThoughts",
    "generationConfig.speechConfig": "voiceConfig multiSpeakerVoiceConfig languageCode",
    "safetySettings": "category threshold method",
}
_CATEGORIES = (
    "HARASSMENT",
    "HATE_SPEECH",
    "SEXUALLY_EXPLICIT",
    "DANGEROUS_CONTENT",
    "CIVIC_INTEGRITY",
)
_THRESHOLDS = (
    "BLOCK_NONE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_LOW_AND_ABOVE",
    "OFF",
)
_VOICE_NAMES = """
Zephyr Puck Charon Kore Fenrir Leda Orus Aoede Callirrhoe Autonoe Enceladus Iapetus Umbriel Algieba
Despina Erinome Algenib Rasalgethi Laomedeia Achernar Alnilam Schedar Gacrux Pulcherrima Achird
Zubenelgenubi Vindemiatrix Sadachbia Sadaltager Sulafat"""
VOICES = tuple(_VOICE_NAMES.split())

#: Of one picture, at the usual resolution of Gemini 3.
PICTURE_TOKENS = 1_120

_URL_SAFE = str.maketrans("-_", "+/")

Json = Mapping[str, Any]


class InvalidError(Exception):
    """400, in the service's words."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, not decoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said."""

    role: Literal["user", "model"]
    text: str
    sounds: tuple[Sound, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid request."""

    model: Model
    system: str
    turns: tuple[Turn, ...]  #: at least one; the last is the user's
    schema: Json | None  #: of the JSON that is wanted; empty for any JSON, None for text
    max_tokens: int
    thinks: bool  #: before its first word
    voice: str = ""

    @property
    def sounds(self) -> tuple[Sound, ...]:
        """What is to be heard in the newest turn."""
        return self.turns[-1].sounds

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What is to be seen in the newest turn."""
        return self.turns[-1].pictures

    @property
    def picture_tokens(self) -> int:
        """Input tokens of the pictures."""
        return PICTURE_TOKENS * sum(len(turn.pictures) for turn in self.turns)

    @property
    def input_tokens(self) -> int:
        """All of them."""
        return self.text_tokens + self.audio_tokens + self.picture_tokens

    @property
    def text_tokens(self) -> int:
        """Input tokens of the text, about."""
        return count_tokens(self.system) + sum(count_tokens(turn.text) for turn in self.turns)

    @property
    def audio_tokens(self) -> int:
        """Input tokens of the audio."""
        sounds = [sound for turn in self.turns for sound in turn.sounds]
        return sum(round(sound.seconds * TOKENS_PER_SECOND) for sound in sounds)


def count_tokens(text: str) -> int:
    """About: four letters of ASCII are a token, and two of other scripts three."""
    ascii_letters = sum(letter.isascii() for letter in text)
    return -(-ascii_letters // 4) + -(-(len(text) - ascii_letters) * 2 // 3)


def read(body: bytes, model: Model) -> Asked:
    """Check a request for `model`. Raises InvalidError."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidError("Invalid JSON payload received. Unable to parse.") from None
    asked = _object(asked, "")
    config = _object(_get(asked, "generationConfig") or {}, "generationConfig")
    for setting in _list(_get(asked, "safetySettings") or [], "safety_settings"):
        _check_safety(_object(setting, "safetySettings"))
    system = _system(_get(asked, "systemInstruction"), model)
    turns = tuple(_turns(_get(asked, "contents"), model))
    _check_order(turns)
    thinking = _object(_get(config, "thinkingConfig") or {}, "generationConfig.thinkingConfig")
    wanted = _list(_get(config, "responseModalities") or ["TEXT"], "response_modalities")
    modalities = [str(one).upper() for one in wanted]
    if modalities != (["AUDIO"] if model.speaks else ["TEXT"]):
        raise InvalidError(_modalities(modalities, model))
    return Asked(
        model=model,
        system=system,
        turns=turns,
        schema=_schema(config, model),
        max_tokens=_max_tokens(config),
        thinks=_thinks(thinking, model),
        voice=_voice(_get(config, "speechConfig")) if model.speaks else "",
    )


def _get(values: Json, name: str) -> Any:
    """A field under its name in camelCase or in snake_case."""
    return values.get(name, values.get(_snake(name)))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidError(f"Invalid value at '{_snake(where) or 'request'}': not an object.")
    known = _FIELDS[where].split()
    for name in value:
        if name not in known and name not in map(_snake, known):
            at = f" at '{_snake(where)}'" if where else ""
            raise InvalidError(
                f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
            )
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidError(f"Invalid value at '{where}': not a list.")
    return value


def _check_safety(setting: Json) -> None:
    category = str(setting.get("category")).removeprefix("HARM_CATEGORY_")
    for name, value, known, numbers in (
        ("category", category, _CATEGORIES, range(7, 12)),
        ("threshold", setting.get("threshold"), _THRESHOLDS, range(1, 6)),
    ):
        given = setting.get(name)
        if value not in known and given not in numbers:  # the old SDK sends enums as numbers
            raise InvalidError(f"Invalid value at 'safety_settings[0].{name}', \"{given}\"")


def _system(value: Any, model: Model) -> str:
    if value is None:
        return ""
    if not model.system:
        raise InvalidError(f"Developer instruction is not enabled for models/{model.name}")
    return "".join(text for text, _ in _parts(value, model))


def _turns(contents: Any, model: Model) -> Iterator[Turn]:
    if not isinstance(contents, list) or not contents:
        raise InvalidError("* GenerateContentRequest.contents: contents is not specified")
    for content in contents:
        parts = _parts(content, model)
        role = content.get("role", "user")
        if role not in ("user", "model"):
            raise InvalidError("Please use a valid role: user, model.")
        text = "\n".join(text for text, _ in parts if text)
        yield Turn(
            role,
            text,
            tuple(sound for _, sound in parts if isinstance(sound, Sound)),
            tuple(picture for _, picture in parts if isinstance(picture, Picture)),
        )


def _check_order(turns: tuple[Turn, ...]) -> None:
    """The first models refused anything else; later ones answer it, and not better."""
    expected = ["user" if number % 2 == 0 else "model" for number in range(len(turns))]
    if [turn.role for turn in turns] != expected or turns[-1].role != "user":
        raise InvalidError(
            "Please ensure that multiturn requests alternate between user and model."
        )


def _parts(content: Any, model: Model) -> list[tuple[str, Sound | Picture | None]]:
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts:
        raise InvalidError("Unable to submit request because it must include at least one parts.")
    return [_part(part, model) for part in parts]


def _part(part: Any, model: Model) -> tuple[str, Sound | Picture | None]:
    if isinstance(part, dict):
        inline = _get(part, "inlineData")
        if isinstance(inline, dict):
            is_picture = str(_get(inline, "mimeType")).startswith("image/")
            return "", (_picture if is_picture else _sound)(inline, model)
        text = part.get("text")
        if isinstance(text, str) and text:
            return text, None
    raise InvalidError("Unable to submit request because it must have a text parameter.")


def _sound(inline: Json, model: Model) -> Sound:
    if not model.audio:
        raise InvalidError(f"Audio input modality is not enabled for models/{model.name}")
    data = _data(inline)
    try:
        return decode(str(_get(inline, "mimeType")), data)
    except SoundError as error:
        raise InvalidError(f"Unable to process input audio: {error}") from None


def _picture(inline: Json, model: Model) -> Picture:
    if not model.pictures:
        raise InvalidError(f"Image input modality is not enabled for models/{model.name}")
    data = _data(inline)
    if _get(inline, "mimeType") != "image/jpeg" or not data.startswith(b"\xff\xd8\xff"):
        raise InvalidError("Unable to process input image. Please retry or report.")
    return Picture(data)


def _data(inline: Json) -> bytes:
    try:
        # Google's JSON takes both alphabets, and the SDK sends the one for URLs.
        return base64.b64decode(str(inline.get("data")).translate(_URL_SAFE), validate=True)
    except ValueError:
        raise InvalidError("Invalid value at 'inline_data.data' (TYPE_BYTES), Base64") from None


def _schema(config: Json, model: Model) -> Json | None:
    mime = _get(config, "responseMimeType") or "text/plain"
    schema = _get(config, "responseSchema") or _get(config, "responseJsonSchema")
    if mime == "text/plain":
        if schema is not None:
            raise InvalidError(
                "response_schema is only supported with response_mime_type application/json."
            )
        return None
    if mime != "application/json":
        raise InvalidError(f"* GenerateContentRequest.generation_config: bad mime type: {mime}.")
    if not model.json:
        raise InvalidError(f"JSON mode is not enabled for models/{model.name}")
    if not isinstance(schema or {}, dict):
        raise InvalidError("Invalid value at 'generation_config.response_schema'.")
    return schema or {}


def _max_tokens(config: Json) -> int:
    value = _get(config, "maxOutputTokens")
    if value is None:
        return 65_536
    if not isinstance(value, int) or value < 1:
        raise InvalidError("max_output_tokens must be positive.")
    return value


def _thinks(thinking: Json, model: Model) -> bool:
    budget, level = _get(thinking, "thinkingBudget"), _get(thinking, "thinkingLevel")
    if budget is not None and not model.budget and not model.thinking:
        raise InvalidError("Thinking budget is not supported for this model.")
    if level is not None:
        level = str(level).lower()
        if level not in model.thinking:
            raise InvalidError(
                f"Thinking level {level.upper()} is not supported for this model. Please retry "
                "with other thinking level."
            )
        return level != "minimal"
    return budget != 0 if budget is not None else model.thinks


def _modalities(asked: list[str], model: Model) -> str:
    accepted = "AUDIO" if model.speaks else "TEXT"
    return (
        f"The requested combination of response modalities ({', '.join(asked)}) is not supported "
        f"by the model. models/{model.name} accepts the following combination of response "
        f"modalities:\n* {accepted}\n"
    )


def _voice(speech: Any) -> str:
    speech = _object(speech or {}, "generationConfig.speechConfig")
    config = _get(speech, "voiceConfig") or {}
    prebuilt = _get(config, "prebuiltVoiceConfig") if isinstance(config, dict) else None
    name = _get(prebuilt, "voiceName") if isinstance(prebuilt, dict) else None
    if name is None:
        return VOICES[0]
    if str(name).title() not in VOICES:
        names = ", ".join(sorted(voice.lower() for voice in VOICES))
        raise InvalidError(f"Voice name {name} is not supported. Allowed voice names are: {names}")
    return str(name).title()
