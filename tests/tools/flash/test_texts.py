"""Every sentence is there in both languages, and says what to do."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

from tools.flash import person, watch

_FOLDER = Path(str(person.__file__)).parent
TEXTS: dict[str, dict[str, str]] = tomllib.loads(
    (_FOLDER / "texts.toml").read_text(encoding="utf-8")
)
SOURCE = "\n".join(p.read_text(encoding="utf-8") for p in _FOLDER.glob("*.py"))


def _gaps(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_say_the_same() -> None:
    assert TEXTS["ko"].keys() == TEXTS["en"].keys()
    for key in TEXTS["en"]:
        assert _gaps(TEXTS["ko"][key]) == _gaps(TEXTS["en"][key]), key


def test_every_error_has_its_sentence() -> None:
    keys = set(re.findall(r'FlashError\(\s*"(\w+)"', SOURCE))
    keys |= set(re.findall(r'Trouble\("(\w+)"', SOURCE))
    keys |= set(re.findall(r'\(r".*", "(\w+)"\)', SOURCE))
    keys |= {"port_gone", "busy", "wifi_not_found", "wifi_password", "wifi_failed", "relay_lost"}
    assert len(keys) > 35
    assert {"error_" + key for key in keys} == {key for key in TEXTS["en"] if "error_" in key}


def test_every_text_that_is_said_exists() -> None:
    keys = set(re.findall(r'(?:say|busy|text|ask|confirm)\(\s*"(\w+)"', SOURCE))
    keys |= {step.value for step in watch.Step}
    assert len(keys) > 20
    assert keys <= TEXTS["en"].keys() | {"error_"}


def test_an_error_is_one_line() -> None:
    for texts in TEXTS.values():
        assert not any("\n" in text for key, text in texts.items() if key.startswith("error_"))
