"""The shape of an answer by fields as a JSON schema, for servers that hold a model to one."""

from __future__ import annotations

from typing import Any

from relay.devices.tools import Parameter
from relay.llm import actions
from relay.llm.base import Request
from relay.llm.emotions import NAMES


def answer_schema(request: Request) -> dict[str, Any]:
    """`{emotion, reply, memory_note}`, with `actions` where the doll has tools.

    The order counts: the emotion is there before the first word.
    """
    fields: dict[str, Any] = {
        "emotion": {"type": "string", "enum": list(NAMES)},
        "reply": {"type": "string"},
        "memory_note": {"type": "string"},
    }
    if tools := actions.usable(request.tools):
        wishes = {actions.TOOL: {"type": "string", "enum": [tool.name for tool in tools]}}
        wishes |= {name: _argument(p) for name, p in actions.parameters(tools).items()}
        fields[actions.FIELD] = {"type": "array", "items": _object(wishes, [actions.TOOL])}
    return _object(fields, list(fields))


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _argument(parameter: Parameter) -> dict[str, Any]:
    """One argument of a tool; the session checks its bounds, which not every server knows."""
    argument: dict[str, Any] = {"type": parameter.kind}
    if parameter.choices:
        argument["enum"] = list(parameter.choices)
    return argument
