"""The time and the date as a person says them."""

from __future__ import annotations

from datetime import datetime

from relay.llm.local import numbers_en, numbers_ko

_WEEKDAYS_KO = "월화수목금토일"
_WEEKDAYS_EN = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS_EN = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTHS_KO = {6: "유월", 10: "시월"}  # the two that are not simply number and 월


def time(now: datetime, language: str) -> str:
    """오후 세 시 이십 분, or three twenty in the afternoon."""
    return _time_ko(now) if language == "ko" else _time_en(now)


def date(now: datetime, language: str) -> str:
    """십일월 이십삼일 월요일, or Monday, November twenty-third."""
    if language == "ko":
        month = _MONTHS_KO.get(now.month, f"{numbers_ko.spell(now.month)}월")
        return f"{month} {numbers_ko.spell(now.day)}일 {weekday(now, 'ko')}"
    day = numbers_en.spell_ordinal(now.day)
    return f"{weekday(now, 'en')}, {_MONTHS_EN[now.month - 1]} {day}"


def weekday(now: datetime, language: str) -> str:
    """월요일, or Monday."""
    if language == "ko":
        return f"{_WEEKDAYS_KO[now.weekday()]}요일"
    return _WEEKDAYS_EN[now.weekday()]


def _time_ko(now: datetime) -> str:
    if now.hour == 0:
        half = "밤"  # 오전 열두 시 leaves everyone guessing
    elif now.hour == 12:
        half = "낮"
    elif now.hour < 6:
        half = "새벽"
    else:
        half = "오전" if now.hour < 12 else "오후"
    hour = numbers_ko.spell_before_noun(now.hour % 12 or 12)
    minute = f" {numbers_ko.spell(now.minute)} 분" if now.minute else ""
    return f"{half} {hour} 시{minute}"


def _time_en(now: datetime) -> str:
    if now.minute == 0 and now.hour in (0, 12):
        return "midnight" if now.hour == 0 else "noon"
    if now.hour < 4 or now.hour >= 21:
        part = "at night"
    elif now.hour < 12:
        part = "in the morning"
    else:
        part = "in the afternoon" if now.hour < 18 else "in the evening"
    hour = numbers_en.spell(now.hour % 12 or 12)
    if now.minute == 0:
        return f"{hour} o'clock {part}"
    minute = numbers_en.spell(now.minute)
    return f"{hour} {'oh ' if now.minute < 10 else ''}{minute} {part}"
