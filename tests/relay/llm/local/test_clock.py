from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local import clock

DAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "korean", "english"),
    [
        (15, 20, "오후 세 시 이십 분", "three twenty in the afternoon"),
        (9, 5, "오전 아홉 시 오 분", "nine oh five in the morning"),
        (3, 0, "새벽 세 시", "three o'clock at night"),
        (6, 30, "오전 여섯 시 삼십 분", "six thirty in the morning"),
        (12, 0, "낮 열두 시", "noon"),
        (12, 1, "낮 열두 시 일 분", "twelve oh one in the afternoon"),
        (0, 0, "밤 열두 시", "midnight"),
        (0, 10, "밤 열두 시 십 분", "twelve ten at night"),
        (23, 59, "오후 열한 시 오십구 분", "eleven fifty-nine at night"),
        (19, 0, "오후 일곱 시", "seven o'clock in the evening"),
    ],
)
def test_says_the_time(hour: int, minute: int, korean: str, english: str) -> None:
    now = DAY.replace(hour=hour, minute=minute)
    assert clock.time(now, "ko") == korean
    assert clock.time(now, "en") == english


@pytest.mark.parametrize(
    ("month", "day", "korean", "english"),
    [
        (11, 23, "십일월 이십삼일 월요일", "Monday, November twenty-third"),
        (6, 1, "유월 일일 월요일", "Monday, June first"),
        (10, 31, "시월 삼십일일 토요일", "Saturday, October thirty-first"),
    ],
)
def test_says_the_date(month: int, day: int, korean: str, english: str) -> None:
    now = DAY.replace(month=month, day=day)
    assert clock.date(now, "ko") == korean
    assert clock.date(now, "en") == english
    assert korean.endswith(clock.weekday(now, "ko"))
    assert english.startswith(clock.weekday(now, "en"))


@given(st.integers(0, 24 * 60 - 1))
def test_no_two_minutes_of_a_day_sound_alike(minute: int) -> None:
    now = DAY + timedelta(minutes=minute)
    for language in ("ko", "en"):
        said = clock.time(now, language)
        assert said != clock.time(now + timedelta(minutes=1), language)
        assert said != clock.time(now + timedelta(hours=12), language)
        assert not any(char.isdecimal() for char in said)
