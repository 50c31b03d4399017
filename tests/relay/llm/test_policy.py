from __future__ import annotations

from pathlib import Path

import pytest

import relay
from relay import locales
from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.policy import RULES, Trouble, rule, said, table

DOCUMENT = Path(relay.__file__).parents[1] / "docs" / "errors.md"


def test_every_failure_has_its_row() -> None:
    assert set(RULES) == set(Trouble)
    for kind in ErrorKind:
        assert Trouble.of(ProviderError(kind, "why")) == kind.value
        assert rule(ProviderError(kind, "why")) is RULES[Trouble(kind.value)]


def test_a_model_that_is_gone_is_not_taken_for_a_bad_request() -> None:
    assert Trouble.of(ModelGoneError("404")) is Trouble.GONE


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_row_is_said_in_both_languages_and_in_several_ways(
    trouble: Trouble, language: str
) -> None:
    assert said(trouble) in locales.lines(language)
    assert len(locales.variants(language, said(trouble))) >= 2


def test_the_document_shows_the_table_of_the_code() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8")
    assert "\n".join(table()) in shown, "copy what `relay.llm.policy.table()` yields to it"
