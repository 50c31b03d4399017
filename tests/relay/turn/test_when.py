from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.when import when

NOW = datetime(2026, 11, 23, 15, 20, tzinfo=ZoneInfo("Asia/Seoul"))


def later(language: str, **passed: float) -> str:
    return when((NOW + timedelta(**passed)).timestamp(), NOW, language)


@pytest.mark.parametrize(
    ("passed", "ko", "en"),
    [
        ({"seconds": -5}, "잠시 뒤에", "in a moment"),
        ({"seconds": 20}, "잠시 뒤에", "in a moment"),
        ({"seconds": 50}, "일 분쯤 뒤에", "in about a minute"),
        ({"seconds": 61}, "이 분쯤 뒤에", "in about two minutes"),
        ({"minutes": 10}, "십 분쯤 뒤에", "in about ten minutes"),
        ({"minutes": 11}, "십오 분쯤 뒤에", "in about fifteen minutes"),
        ({"minutes": 98}, "오후 다섯 시쯤에", "around five o'clock in the afternoon"),
        (
            {"hours": 25, "minutes": 36},
            "내일 오후 다섯 시쯤에",
            "tomorrow around five o'clock in the afternoon",
        ),
        (
            {"days": 2, "minutes": 40},
            "수요일 오후 네 시쯤에",
            "on Wednesday around four o'clock in the afternoon",
        ),
    ],
)
def test_a_moment_is_said_as_a_person_says_it(passed: dict[str, float], ko: str, en: str) -> None:
    assert (later("ko", **passed), later("en", **passed)) == (ko, en)


def test_what_nobody_knows_is_later() -> None:
    assert (when(None, NOW, "ko"), when(None, NOW, "en")) == ("나중에", "later")


@given(st.floats(-1e6, 1e7), st.sampled_from(["ko", "en", "fr"]))
def test_every_moment_can_be_said(seconds: float, language: str) -> None:
    said = later(language, seconds=seconds)
    assert said
    assert "{" not in said
    assert not any(character.isdigit() for character in said)
