"""What goes into settings.json, and what the doll makes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts, MpyFormat
from tools.flash.settings import current, merged, text


def facts(settings: str | None, good: str | None = None) -> BoardFacts:
    mpy = MpyFormat(6, 3, "")
    return BoardFacts("1.29", "ESP32", mpy, 0, 4096, {}, settings=settings, settings_good=good)


def test_a_new_network_comes_first_and_the_others_stay() -> None:
    old = {"wifi": [{"ssid": "a", "password": "1"}, {"ssid": "b", "password": "2"}]}
    new = merged(old, wifi=("b", "3"))
    assert new["wifi"] == [{"ssid": "b", "password": "3"}, {"ssid": "a", "password": "1"}]
    assert old["wifi"][0]["ssid"] == "a"


def test_only_what_is_given_changes() -> None:
    old = {"volume": 3, "unknown": [1], "token": "t"}
    assert merged(old, relay="ws://x/") == {**old, "relay": "ws://x/"}
    assert merged(old) == old


@pytest.mark.parametrize("text_", [None, "", "{", "[]", "null", '"x"', "[" * 100_000])
def test_no_settings_and_damaged_ones_fall_back(text_: str | None) -> None:
    assert current(facts(text_, '{"volume": 9}')) == ({"volume": 9}, text_ is not None)
    assert current(facts(text_, "{")) == ({}, text_ is not None)


@pytest.mark.parametrize(
    "given_",
    [
        {"wifi": ("", "x")},
        {"wifi": ("x" * 33, "x")},
        {"wifi": ("x", "p" * 65)},
        {"wifi": ("\udcff", "x")},
        {"relay": "http://x"},
        {"token": "a\nb"},
        {"board": "../x"},
    ],
)
def test_what_the_doll_would_refuse_is_refused_here(given_: dict[str, object]) -> None:
    with pytest.raises(FlashError) as raised:
        merged({}, **given_)  # type: ignore[arg-type]
    assert raised.value.key == "setting"
    assert "p" * 65 not in str(raised.value.values)


@given(
    st.dictionaries(st.text(), st.none() | st.integers() | st.text()),
    st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=8),  # 32 bytes
)
def test_what_is_written_can_be_read_again(values: dict[str, object], ssid: str) -> None:
    new = merged(values, wifi=(ssid, "12345678"))
    written = text(new)
    assert json.loads(written) == new
    assert current(facts(written)) == (new, False)
