"""Tools as a doll lists them, and the arguments that go out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.devices.tools import MAX_PARAMETERS, Tool, ToolError, read_tool

#: As version 2.4 of the stock firmware lists it.
VOLUME = {
    "name": "self.audio_speaker.set_volume",
    "description": "Set the volume of the audio speaker.\nIf the current volume is unknown, ask.",
    "inputSchema": {
        "type": "object",
        "properties": {"volume": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["volume"],
    },
}

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "inputSchema", "properties", "required", "enum", "minimum", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def read(listed: dict[str, Any]) -> Tool:
    tool = read_tool(listed)
    assert tool is not None
    return tool


def with_properties(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required or []}
    return {"name": "self.thing", "description": "", "inputSchema": schema}


def test_a_stock_tool_is_read() -> None:
    tool = read(VOLUME)
    assert tool.name == "self.audio_speaker.set_volume"
    assert tool.description.startswith("Set the volume of the audio speaker. If")
    assert [(p.name, p.kind, p.minimum, p.maximum, p.required) for p in tool.parameters] == [
        ("volume", "integer", 0, 100, True)
    ]


@pytest.mark.parametrize("volume", [0, 40, 100, 40.0])
def test_arguments_of_the_schema_go_out(volume: float) -> None:
    checked = read(VOLUME).check({"volume": volume})
    assert checked == {"volume": volume}
    assert type(checked["volume"]) is int


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"volume": 101},
        {"volume": -1},
        {"volume": 40.5},
        {"volume": "40"},
        {"volume": True},
        {"volume": None},
        {"volume": float("nan")},
        {"volume": float("inf")},
        {"volume": [40]},
        {"volume": 40, "loud": 1},
        {"Volume": 40},
    ],
)
def test_any_other_arguments_do_not(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError):
        read(VOLUME).check(arguments)


def test_choices_defaults_and_flags_are_kept_to() -> None:
    tool = read(
        with_properties(
            ["theme", "fast"],
            theme={"type": "string", "enum": ["light", "dark"]},
            fast={"type": "boolean", "default": False},
        )
    )
    assert tool.check({"theme": "dark"}) == {"theme": "dark"}
    assert tool.check({"theme": "dark", "fast": True}) == {"theme": "dark", "fast": True}
    for wrong in ({"theme": "pink"}, {"theme": "dark", "fast": 1}, {"theme": "x" * 501}):
        with pytest.raises(ToolError):
            tool.check(wrong)


@pytest.mark.parametrize(
    "listed",
    [
        None,
        [],
        {},
        {"name": 1},
        {"name": "with space"},
        {"name": "x" * 65},
        {"name": "x", "inputSchema": []},
        {"name": "x", "inputSchema": {"properties": []}},
        {"name": "x", "inputSchema": {"required": "volume"}},
        with_properties(a={"type": "object"}),
        with_properties(a={"type": ["string"]}),
        with_properties(a={"type": "integer", "minimum": "0"}),
        with_properties(a={"type": "string", "enum": [{}]}),
        with_properties(a={"type": "string", "enum": ["x"] * 33}),
        with_properties(**{f"a{n}": {"type": "string"} for n in range(MAX_PARAMETERS + 1)}),
    ],
)
def test_what_cannot_be_called_safely_is_left_out(listed: object) -> None:
    assert read_tool(listed) is None


@given(JSON)
def test_whatever_is_listed_is_a_tool_or_none(listed: object) -> None:
    tool = read_tool(listed)
    if tool is not None:
        json.dumps(tool.name)


@given(st.dictionaries(st.sampled_from(["volume", "x"]), JSON, max_size=2))
def test_what_passes_is_within_the_bounds(arguments: dict[str, Any]) -> None:
    try:
        checked = read(VOLUME).check(arguments)
    except ToolError:
        return
    assert 0 <= checked["volume"] <= 100
