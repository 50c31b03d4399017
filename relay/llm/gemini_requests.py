"""A request of the relay as Gemini's API wants it."""

from __future__ import annotations

from google.genai import types

from relay.devices.tools import Parameter
from relay.llm import actions
from relay.llm.base import Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.emotions import NAMES
from relay.llm.gemini_audio import MIME_TYPE
from relay.llm.gemini_capabilities import Capabilities, Thinking
from relay.llm.settings import Safety
from relay.persona.prompt import Form

_THRESHOLDS: dict[Safety, types.HarmBlockThreshold] = {
    "low": types.HarmBlockThreshold.BLOCK_LOW_AND_ABOVE,
    "medium": types.HarmBlockThreshold.BLOCK_MEDIUM_AND_ABOVE,
    "high": types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
    "off": types.HarmBlockThreshold.OFF,
}
_CATEGORIES = (
    types.HarmCategory.HARM_CATEGORY_HARASSMENT,
    types.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
    types.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
    types.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
)


def form(can: Capabilities, *, hearing: bool) -> Form:
    """How a model of these capabilities answers."""
    if hearing:
        return "hearing"
    return "fields" if can.json else "text"


def contents(
    request: Request,
    can: Capabilities,
    sound: bytes | None = None,
    photo: bytes | None = None,
) -> list[types.Content]:
    """The conversation, and at its end the words or the sound of the owner, or a photo (JPEG)."""
    made = [
        types.Content(
            role="user" if turn.role == "user" else "model", parts=[types.Part(text=turn.text)]
        )
        for turn in turns(request)
    ]
    media = [(sound, MIME_TYPE), (photo, "image/jpeg")]
    for data, mime_type in media:
        if data is None:
            continue
        part = types.Part.from_bytes(data=data, mime_type=mime_type)
        if made and made[-1].role == "user":  # a question that was never answered
            made[-1].parts = [*(made[-1].parts or ()), part]
        else:
            made.append(types.Content(role="user", parts=[part]))
    if not can.system_instruction and made:
        persona = system_prompt(request, form(can, hearing=sound is not None))
        made[0].parts = [types.Part(text=persona), *(made[0].parts or ())]
    return made


def config(
    request: Request,
    can: Capabilities,
    *,
    hearing: bool,
    safety: Safety,
    max_output_tokens: int,
    temperature: float | None,
) -> types.GenerateContentConfig:
    """Everything about a request but its words."""
    how = form(can, hearing=hearing)
    return types.GenerateContentConfig(
        system_instruction=system_prompt(request, how) if can.system_instruction else None,
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        thinking_config=_thinking(can.thinking),
        safety_settings=[
            types.SafetySetting(category=category, threshold=_THRESHOLDS[safety])
            for category in _CATEGORIES
        ],
        response_mime_type=None if how == "text" else "application/json",
        response_schema=None if how == "text" else _schema(request, hearing=hearing),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _schema(request: Request, *, hearing: bool) -> types.Schema:
    """The order counts: what was heard grounds the reply, and the emotion is there before it."""
    fields: dict[str, types.Schema] = {}
    if hearing:
        fields["heard"] = _one_of("speech", "noise", "none")
        if len(request.persona.languages) > 1:
            fields["language"] = _one_of(*request.persona.languages)
        fields["transcript"] = types.Schema(type=types.Type.STRING)
    fields["emotion"] = _one_of(*NAMES)
    fields["reply"] = types.Schema(type=types.Type.STRING)
    fields["memory_note"] = types.Schema(type=types.Type.STRING)
    if tools := actions.usable(request.tools):
        wishes = {actions.TOOL: _one_of(*(tool.name for tool in tools))}
        wishes |= {name: _argument(p) for name, p in actions.parameters(tools).items()}
        fields[actions.FIELD] = types.Schema(
            type=types.Type.ARRAY,
            items=types.Schema(type=types.Type.OBJECT, properties=wishes, required=[actions.TOOL]),
        )
    return types.Schema(
        type=types.Type.OBJECT,
        properties=fields,
        required=list(fields),
        property_ordering=list(fields),
    )


def _argument(parameter: Parameter) -> types.Schema:
    """One argument of a tool. Choices that are no texts are left to the session's check."""
    if parameter.kind == "string" and parameter.choices:
        return _one_of(*map(str, parameter.choices))
    return types.Schema(
        type=types.Type(parameter.kind.upper()),
        minimum=parameter.minimum,
        maximum=parameter.maximum,
    )


def _one_of(*values: str) -> types.Schema:
    return types.Schema(type=types.Type.STRING, format="enum", enum=list(values))


def _thinking(thinking: Thinking) -> types.ThinkingConfig | None:
    match thinking:
        case "model":
            return None
        case "off":
            return types.ThinkingConfig(thinking_budget=0)
        case "minimal":
            return types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL)
        case "low":
            return types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
