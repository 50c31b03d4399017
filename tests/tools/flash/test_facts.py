"""What a board says about itself, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts, MpyFormat, parse_facts

FIELDS = {
    "release": "1.29.0",
    "machine": "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3",
    "mpy": 0x2B06,
    "free": 4096,
    "block": 4096,
    "files": {"main.py": "00"},
    "installed": None,
    "settings": None,
    "settings_good": None,
    "id": "24:6f:28:00:00:01",
}


def facts(**fields: Any) -> BoardFacts:
    return parse_facts(json.dumps({**FIELDS, **fields}))


@pytest.mark.parametrize(
    ("machine", "chip"),
    [
        ("Generic ESP32 module with ESP32", "esp32"),
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "esp32s3"),
        ("ESP32C3 module with ESP32C3", "esp32c3"),
        ("Raspberry Pi Pico W with RP2040", ""),
        ("", ""),
    ],
)
def test_the_chip_is_the_last_word(machine: str, chip: str) -> None:
    assert facts(machine=machine).chip == chip


@pytest.mark.parametrize(
    ("release", "version"),
    [("1.29.0", (1, 29)), ("1.30.0-preview.12", (1, 30)), ("2.0", (2, 0)), ("?", (0, 0))],
)
def test_the_release_becomes_a_version(release: str, version: tuple[int, int]) -> None:
    assert facts(release=release).version == version


@pytest.mark.parametrize(
    ("number", "format_"),
    [
        (0x2B06, MpyFormat(6, 3, "xtensawin")),
        (0x2F06, MpyFormat(6, 3, "rv32imc")),
        (0x0B06, MpyFormat(6, 3, "x64")),
        (0x0306, MpyFormat(6, 3, "")),
        (0x3F06, MpyFormat(6, 3, "")),  # an architecture that we do not know
        (0, MpyFormat(0, 0, "")),
    ],
)
def test_the_mpy_format_is_taken_apart(number: int, format_: MpyFormat) -> None:
    assert MpyFormat.of(number) == format_


def test_what_boot_py_prints_does_not_matter() -> None:
    noise = 'hello\n{"free": "not it"}\n[doll] I doll\n'
    assert parse_facts(noise + json.dumps(FIELDS) + "\n").free == 4096


def test_a_damaged_manifest_counts_as_none() -> None:
    assert facts(installed='{"files": ["a"]}').installed == {}
    assert facts(installed="[1]").installed == {}
    assert facts(installed='{"files": {"a": "0').installed == {}
    assert facts(installed='{"files": {"a": "00"}}').installed == {"a": "00"}


@given(st.text() | st.dictionaries(st.text(), st.integers() | st.text()).map(json.dumps))
def test_no_answer_is_more_than_an_error(text: str) -> None:
    with pytest.raises(FlashError) as raised:
        parse_facts(text)
    assert raised.value.key == "no_answer"


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)),
        st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just({"a": 1}),
    )
)
def test_wrong_fields_are_at_most_an_error(fields: dict[str, Any]) -> None:
    try:
        found = facts(**fields)
    except FlashError:
        return
    assert isinstance(found.chip, str)
    assert found.block > 0
