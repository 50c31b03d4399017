"""JSON that fits a schema: the fake's side of "JSON mode"."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any

MAX_DEPTH = 16
MAX_VALUES = 500  # a short schema that refers to itself can ask for any number
_MAX_CHARS = 1_000

Say = Callable[[str, Mapping[str, Any]], str | None]
"""(name of a property, its schema) -> what to say there; None where any value will do."""


class SchemaError(Exception):
    """This schema cannot be answered; the text is for a 400."""


def fill(schema: Mapping[str, Any], say: Say, random: Random, short: Collection[str] = ()) -> Any:
    """A value that `schema` allows, properties in its `propertyOrdering`.

    A list has an item, one in a property of a name in `short` no more than it must have.
    Understands what the service does: OpenAPI's subset with types in upper case, and JSON Schema
    with local `$ref`. Raises SchemaError.
    """
    return _Filler(schema, say, random, short).value("", schema, 0)


class _Filler:
    def __init__(
        self, root: Mapping[str, Any], say: Say, random: Random, short: Collection[str]
    ) -> None:
        self._root = root
        self._say = say
        self._random = random
        self._short = short
        self._left = MAX_VALUES

    def value(self, name: str, schema: Any, depth: int) -> Any:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise SchemaError("A schema in GenerationConfig exceeds maximum allowed nesting depth.")
        if not isinstance(schema, Mapping):
            raise SchemaError("Invalid value at 'generation_config.response_schema'.")
        if "$ref" in schema:
            return self.value(name, self._referred(schema["$ref"]), depth + 1)
        choices = schema.get("anyOf", schema.get("any_of"))
        if isinstance(choices, list) and choices:
            return self.value(name, choices[0], depth + 1)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            least = _count(schema, "minItems", 0 if name in self._short else 1)
            return [self.value(name, schema.get("items", {}), depth + 1) for _ in range(least)]
        if kind in ("integer", "number"):
            return self._number(schema, kind)
        if kind == "boolean":
            return bool(self._random.getrandbits(1))
        return None if kind == "null" else self._string(name, schema)

    def _referred(self, reference: Any) -> Any:
        target: Any = self._root
        for step in str(reference).split("/")[1:]:
            target = target.get(step) if isinstance(target, Mapping) else None
        if target is None:
            raise SchemaError(f"reference to undefined schema at {str(reference)[:60]}")
        return target

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        if not isinstance(properties, Mapping):
            raise SchemaError("Invalid value at 'response_schema.properties'.")
        order = schema.get("propertyOrdering", schema.get("property_ordering")) or list(properties)
        required = schema.get("required") or []
        if not isinstance(order, list) or not isinstance(required, list):
            raise SchemaError("Invalid value at 'response_schema.required'.")
        names = [*order, *required]
        for name in names:
            if not isinstance(name, str) or name not in properties:
                raise SchemaError(f"response_schema: property is not defined: {str(name)[:60]}")
        names += [name for name in properties if name not in names]
        return {
            name: self.value(name, properties[name], depth + 1) for name in dict.fromkeys(names)
        }

    def _string(self, name: str, schema: Mapping[str, Any]) -> str | None:
        said = self._say(name, schema)
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return said if said in choices else str(self._random.choice(choices))
        if said is None and _nullable(schema):
            return None
        text = said or ""
        least = _count(schema, "minLength", 0)
        return text.ljust(least, ".")[: max(least, _count(schema, "maxLength", _MAX_CHARS))]

    def _number(self, schema: Mapping[str, Any], kind: str) -> float:
        low = _finite(schema.get("minimum"), 0.0)
        high = max(low, _finite(schema.get("maximum"), low + 10))
        return self._random.randint(int(low), int(high)) if kind == "integer" else low


def _finite(value: Any, default: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if math.isfinite(number) else default


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):  # JSON Schema: ["string", "null"]
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else "string"
    known = str(kind).lower()
    if known not in ("object", "array", "string", "integer", "number", "boolean", "null"):
        raise SchemaError(f"Invalid value at 'response_schema.type', \"{str(kind)[:60]}\"")
    return known


def _nullable(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return bool(schema.get("nullable")) or (isinstance(kind, list) and "null" in kind)


def _count(schema: Mapping[str, Any], name: str, default: int) -> int:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    value = schema.get(name, schema.get(snake, default))
    try:
        return max(0, min(int(value), _MAX_CHARS if "Length" in name else 10))
    except (TypeError, ValueError, OverflowError):
        raise SchemaError(f"Invalid value at 'response_schema.{snake}'.") from None
