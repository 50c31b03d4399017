from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fake_gemini.schema import SchemaError, fill

SCHEMAS = st.recursive(
    st.sampled_from(["STRING", "string", "INTEGER", "NUMBER", "BOOLEAN"]).map(
        lambda kind: {"type": kind}
    )
    | st.lists(st.sampled_from("abc"), min_size=1).map(
        lambda choices: {"type": "STRING", "enum": choices}
    ),
    lambda inner: (
        inner.map(lambda items: {"type": "ARRAY", "items": items})
        | st.dictionaries(st.sampled_from(["heard", "reply", "x", "y"]), inner, max_size=4).map(
            lambda properties: {"type": "OBJECT", "properties": properties}
        )
    ),
    max_leaves=10,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "enum", "anyOf", "$ref", "required",
                             "propertyOrdering", "minItems", "maxLength", "minimum", "maximum"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)  # fmt: skip


def filled(schema: Any, said: str | None = "안녕") -> Any:
    return fill(schema, lambda _name, _schema: said, Random(1))


def fits(value: Any, schema: dict[str, Any]) -> bool:
    match schema["type"].lower():
        case "object":
            properties = schema["properties"]
            return value.keys() == properties.keys() and all(
                fits(value[name], properties[name]) for name in properties
            )
        case "array":
            return bool(value) and all(fits(item, schema["items"]) for item in value)
        case "string":
            return value in schema.get("enum", ["안녕"])
        case "integer":
            return isinstance(value, int)
        case "number":
            return isinstance(value, float)
        case _:
            return isinstance(value, bool)


@given(SCHEMAS)
def test_the_answer_fits_its_schema(schema: dict[str, Any]) -> None:
    assert fits(filled(schema), schema)


@given(ANYTHING)
def test_a_schema_that_is_none_is_refused_and_nothing_else_happens(schema: Any) -> None:
    with contextlib.suppress(SchemaError):
        filled(schema)


def test_properties_come_in_the_order_that_is_asked_for() -> None:
    properties = {name: {"type": "STRING"} for name in "abc"}
    schema = {"type": "OBJECT", "properties": properties, "propertyOrdering": ["c", "a"]}
    assert list(filled(schema)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "STRING", "nullable": True},
    ],
)
def test_nothing_to_say_is_null_where_that_is_allowed(schema: dict[str, Any]) -> None:
    assert filled(schema, None) is None
    assert filled({"type": "STRING"}, None) == ""


def test_what_is_said_is_one_of_the_choices() -> None:
    assert filled({"type": "STRING", "enum": ["none", "speech"]}, "speech") == "speech"
    assert filled({"type": "STRING", "enum": ["none"]}, "speech") == "none"


def test_definitions_are_followed_and_circles_are_not() -> None:
    schema = {"$ref": "#/$defs/Answer", "$defs": {"Answer": {"type": "string"}}}
    assert filled(schema) == "안녕"
    with pytest.raises(SchemaError, match="nesting depth"):
        filled({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})
    with pytest.raises(SchemaError, match="undefined"):
        filled({"$ref": "#/$defs/b"})


def test_a_schema_that_grows_without_end_is_refused_soon() -> None:
    tree = {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefgh"}}
    with pytest.raises(SchemaError, match="nesting depth"):
        filled(tree)


@pytest.mark.parametrize("limit", [10**400, float("inf"), float("nan"), "7", None])
def test_any_limit_of_a_number_is_survived(limit: Any) -> None:
    assert isinstance(filled({"type": "INTEGER", "minimum": limit, "maximum": limit}), int)


def test_numbers_stay_between_their_limits() -> None:
    assert filled({"type": "INTEGER", "minimum": 7, "maximum": 7}) == 7
    assert filled({"type": "NUMBER", "minimum": 2.5}) == 2.5


def test_an_order_of_properties_that_are_not_there_is_refused() -> None:
    with pytest.raises(SchemaError, match="not defined"):
        filled({"type": "OBJECT", "properties": {}, "propertyOrdering": ["a"]})
