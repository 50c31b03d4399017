"""Fixed lines: every language has all of them, and a missing language falls back to English."""

from __future__ import annotations

import pytest

from relay import locales
from relay.errors import ErrorKind

OTHER_ENDS = ("not_heard", "too_long", "internal", "shutting_down")


def test_korean_and_english_are_there() -> None:
    assert {"ko", "en"} <= set(locales.languages())


@pytest.mark.parametrize("language", locales.languages())
def test_every_language_has_the_same_keys(language: str) -> None:
    assert set(locales.lines(language)) == set(locales.lines("en"))


@pytest.mark.parametrize("language", locales.languages())
@pytest.mark.parametrize("kind", [*ErrorKind, *OTHER_ENDS])
def test_every_way_to_fail_has_lines_to_choose_from(language: str, kind: str) -> None:
    said = locales.variants(language, f"failure.{kind}")
    assert len(set(said)) == len(said) >= 2
    assert all(line.strip() == line and len(line) <= 90 for line in said)


@pytest.mark.parametrize("key", [k for k in locales.lines("ko") if k.startswith("failure.")])
def test_korean_lines_are_korean(key: str) -> None:
    for line in locales.variants("ko", key):
        assert any("가" <= c <= "힣" for c in line)


@pytest.mark.parametrize("language", ["ko", "KO", "ko-KR", "ko_KR"])
def test_a_region_does_not_matter(language: str) -> None:
    assert locales.text(language, "speakable.link") == "링크"


@pytest.mark.parametrize("language", ["fr", "", "../../etc/passwd", "e" * 10_000])
def test_a_language_without_a_file_gets_english(language: str) -> None:
    assert locales.text(language, "speakable.link") == "link"


def test_a_line_that_only_english_has_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"ko": {}, "en": {"failure.new": ("Hm.",)}}
    monkeypatch.setattr(locales, "lines", tables.__getitem__)
    assert locales.variants("ko", "failure.new") == ("Hm.",)


def test_an_unknown_line_is_an_error_that_says_where_to_add_it() -> None:
    with pytest.raises(KeyError, match=r"no line 'failure\.nonsense'.*relay/locales"):
        locales.text("ko", "failure.nonsense")


def test_files_are_read_once() -> None:
    assert locales.lines("ko") is locales.lines("ko-KR")


def test_lines_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        locales.lines("ko")["failure.rate"] = ()  # type: ignore[index]
