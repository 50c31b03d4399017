"""The table of threats names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "security.md", ROOT / "docs" / "security.ko.md"]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named(page: Path) -> list[tuple[str, str]]:
    return _NAMED.findall(page.read_text(encoding="utf-8"))


def rows(page: Path) -> list[str]:
    """The rows of the table of threats."""
    table = page.read_text(encoding="utf-8").split("\n## ")[1]
    return [line for line in table.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_threat_names_a_test_that_exists(page: Path) -> None:
    assert len(rows(page)) >= 25
    for row in rows(page):
        assert _NAMED.search(row), f"no test: {row}"
    for file, test in named(page):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"{file}::{test}"


def test_both_languages_have_the_same_rows() -> None:
    english, korean = (named(page) for page in PAGES)
    assert english == korean
