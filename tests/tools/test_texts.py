from __future__ import annotations

from pathlib import Path

import pytest

from tools.texts import terminal_language, texts

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.mark.parametrize("file", sorted(TOOLS.rglob("texts.toml")), ids=lambda f: f.parent.name)
def test_both_languages_have_all_texts(file: Path) -> None:
    beside = str(file.with_name("command.py"))
    assert texts(beside, "ko").keys() == texts(beside, "en").keys()
    assert texts(beside, "ko") != texts(beside, "en")
    assert texts(beside, "fr") == texts(beside, "en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LC_ALL": "en_GB", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "c"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_terminal(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal_language() == language
