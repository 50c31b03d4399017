"""The doll's tools, as JSON-RPC asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Micropython = Callable[..., str]

SCRIPT = """
import json
from doll import mcp

class Doll:
    def status(self):
        return {"audio_speaker": {"volume": 70}}
    def set_volume(self, volume):
        print("volume", volume)
    def set_brightness(self, percent):
        print("brightness", percent)

print("=" + json.dumps(mcp.answer(json.loads(%r), Doll(), "9.9")))
"""


def _answer(micropython: Micropython, payload: object) -> tuple[Any, str]:
    """The answer, and what was done."""
    done, _, answer = micropython(SCRIPT % json.dumps(payload)).rpartition("=")
    return json.loads(answer), done


def _request(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def test_initialize_tells_protocol_and_version(micropython: Micropython) -> None:
    answer, _ = _answer(micropython, _request("initialize", capabilities={}))
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    assert answer["result"]["protocolVersion"] == "2024-11-05"
    assert answer["result"]["serverInfo"] == {"name": "talking-doll", "version": "9.9"}


def test_the_list_of_tools_fits_in_one_message(micropython: Micropython) -> None:
    answer, _ = _answer(micropython, _request("tools/list", cursor=""))
    names = [tool["name"] for tool in answer["result"]["tools"]]
    assert names == [
        "self.get_device_status",
        "self.audio_speaker.set_volume",
        "self.light.set_brightness",
    ]
    assert len(json.dumps({"type": "mcp", "session_id": "x" * 128, "payload": answer})) < 1536


@pytest.mark.parametrize(
    ("name", "arguments", "done"),
    [
        ("self.audio_speaker.set_volume", {"volume": 0}, "volume 0\n"),
        ("self.light.set_brightness", {"brightness": 100}, "brightness 100\n"),
        ("self.get_device_status", {}, ""),
    ],
)
def test_a_tool_does_what_it_says(
    micropython: Micropython, name: str, arguments: dict[str, object], done: str
) -> None:
    answer, did = _answer(micropython, _request("tools/call", name=name, arguments=arguments))
    assert did == done
    assert answer["result"]["isError"] is False


@pytest.mark.parametrize(
    "params",
    [
        {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 101}},
        {"name": "self.audio_speaker.set_volume", "arguments": {"volume": True}},
        {"name": "self.audio_speaker.set_volume", "arguments": {"volume": "50"}},
        {"name": "self.audio_speaker.set_volume"},
        {"name": "self.light.set_brightness", "arguments": [50]},
        {"name": "self.format_flash", "arguments": {}},
        {"name": ["self.get_device_status"]},
        {},
    ],
)
def test_a_call_that_cannot_be_is_an_error_and_does_nothing(
    micropython: Micropython, params: dict[str, object]
) -> None:
    answer, did = _answer(micropython, _request("tools/call", **params))
    assert answer["error"]["code"] == -32602
    assert did == ""


def test_an_unknown_method_is_an_error(micropython: Micropython) -> None:
    answer, _ = _answer(micropython, _request("resources/list"))
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize(
    "payload",
    [
        None,
        3,
        [],
        {},
        {"method": "notifications/initialized"},
        {"id": None},
        {"id": [[1]], "method": "initialize"},
        {"id": "x" * 65, "method": "initialize"},
    ],
)
def test_what_wants_no_answer_gets_none(micropython: Micropython, payload: object) -> None:
    assert _answer(micropython, payload) == (None, "")
