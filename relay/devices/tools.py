"""The tools of a doll as it lists them: read with care, and arguments checked before they go out.

Stock boards describe a tool by a JSON schema with flat properties: integers with bounds, booleans
and texts. A tool that asks for anything else is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Value: TypeAlias = str | int | float | bool
Kind = Literal["integer", "number", "boolean", "string"]

MAX_DESCRIPTION_CHARS = 500
MAX_PARAMETERS = 8
MAX_CHOICES = 32
MAX_TEXT_CHARS = 500  #: of one argument

_NAME = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_TYPES: dict[Kind, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
}


class ToolError(Exception):
    """A tool cannot be called, or failed; the text says why, in English, for the log."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool."""

    name: str
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Value, ...] = ()
    required: bool = True

    def check(self, value: object) -> Value:
        """The value as the doll takes it. Raises ToolError."""
        if self.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)  # models write 50.0
        is_flag = isinstance(value, bool)
        if not isinstance(value, str | int | float) or is_flag != (self.kind == "boolean"):
            raise ToolError(f"{self.name} must be of type {self.kind}")
        if not isinstance(value, _TYPES[self.kind]):
            raise ToolError(f"{self.name} must be of type {self.kind}")
        if isinstance(value, str):
            if len(value) > MAX_TEXT_CHARS:
                raise ToolError(f"{self.name} is longer than {MAX_TEXT_CHARS} characters")
        elif not self._is_within(value):
            raise ToolError(f"{self.name} must be within {self.minimum} and {self.maximum}")
        if self.choices and value not in self.choices:
            raise ToolError(f"{self.name} must be one of {', '.join(map(str, self.choices))}")
        return value

    def _is_within(self, value: float) -> bool:
        low, high = self.minimum, self.maximum
        return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a doll can be asked to do."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Value]:
        """The arguments as the doll takes them. Raises ToolError."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if strange := set(arguments) - set(known):
            raise ToolError(f"{self.name} has no argument {min(strange)[:40]!r}")
        for name, parameter in known.items():
            if parameter.required and name not in arguments:
                raise ToolError(f"{self.name} needs {name}")
        return {name: known[name].check(value) for name, value in arguments.items()}


def read_tool(listed: object) -> Tool | None:
    """A tool from an entry of `tools/list`; None if it is not one that can be called."""
    if not isinstance(listed, Mapping):
        return None
    name = listed.get("name")
    schema = listed.get("inputSchema", {})
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(schema, Mapping):
        return None
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, Mapping) or len(properties) > MAX_PARAMETERS:
        return None
    if not isinstance(required, list):
        return None
    parameters = []
    for key, described in properties.items():
        if (parameter := _parameter(key, described, required=key in required)) is None:
            return None
        parameters.append(parameter)
    description = listed.get("description", "")
    text = " ".join(description.split()) if isinstance(description, str) else ""
    return Tool(name, text[:MAX_DESCRIPTION_CHARS], tuple(parameters))


def _parameter(name: str, described: object, *, required: bool) -> Parameter | None:
    if not _NAME.fullmatch(name) or not isinstance(described, Mapping):
        return None
    kind = next((known for known in _TYPES if known == described.get("type")), None)
    if kind is None:
        return None
    bounds = (described.get("minimum"), described.get("maximum"))
    if any(
        isinstance(bound, bool) or not isinstance(bound, int | float | None) for bound in bounds
    ):
        return None
    choices = described.get("enum", [])
    if not isinstance(choices, list) or len(choices) > MAX_CHOICES:
        return None
    if any(not isinstance(choice, str | int | float) for choice in choices):
        return None
    is_needed = required and "default" not in described
    return Parameter(name, kind, *bounds, choices=tuple(choices), required=is_needed)
