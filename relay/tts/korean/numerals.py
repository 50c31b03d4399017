"""Finds the numbers in a Korean text and writes them as they are read.

Dates, times, telephone numbers, ranges, fractions, sums, amounts with counters or units, and bare
numbers, tried in that order. What was read is Hangul, so that a later step does not see it again.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from relay.tts.korean.jamo import coda_of
from relay.tts.korean.numbers import decimal, in_a_row, native, sino
from relay.tts.korean.vocabulary import any_of, vocabulary

#: A number: 7, 3.14, 1,000. Not the digits in MP3 or behind a point (1.2.3).
NUMBER = r"(?<![A-Za-z\d.,])(\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d])"
#: The same, already known to stand alone.
PLAIN = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"

Read = Callable[[re.Match[str]], str]


def read_numbers(text: str) -> str:
    """`text` with all its numbers in Korean words."""
    for pattern, read in _steps():
        text = pattern.sub(read, text)
    return text


def read(number: str) -> str:
    """One number (7, 007, 1,000, 3.14) in Sino-Korean words."""
    whole, _, fraction = number.replace(",", "").partition(".")
    if fraction:
        return decimal(whole, fraction)
    return in_a_row(whole) if len(whole) > 1 and whole[0] == "0" else sino(int(whole))


@functools.cache
def _steps() -> tuple[tuple[re.Pattern[str], Read], ...]:
    words = vocabulary()
    native_counters = any_of(words.counters.native)
    sino_counters = any_of(words.counters.sino)
    units = any_of(words.units)
    operators = re.escape("".join(words.operators))
    clock = rf"\d+\s*:\s*\d|\d+\s*{words.phrases['hour']}"
    steps: list[tuple[str, Read]] = [
        # Codes that are words of their own: B2B, 4K, 24/7.
        (
            rf"(?<![A-Za-z\d.,/])(?i:{any_of(words.codes)})(?![A-Za-z\d/]|\.\d)",
            lambda found: words.codes[found[0].lower()],
        ),
        # Versions: v2.0, 1.2.3. A date (2026.11.23) is none.
        (r"(?<![A-Za-z\d])[vV](?:er\.?\s?)?(?=\d+\.\d)", lambda _: f"{words.phrases['version']} "),
        (r"(?<![\d.])(?!\d{4}\.)\d+(?:\.\d+){2,}(?![\d.]*\d)", _pointed),
        # PM 5시, AM 9:30.
        (rf"(?<![A-Za-z])([AaPp])\.?[Mm]\b\.?\s*(?={clock})", _before_the_hour),
        # A hyphen joins two amounts to a range, two scores to a result: 10-20분, 3-2로 이겼어.
        (
            rf"(?<![\d.,-])(\d+)-(\d+)(?=\s*(?:{any_of(words.ranged['amounts'])}))",
            lambda found: _joined(found, "~") if int(found[1]) < int(found[2]) else found[0],
        ),
        (
            rf"(?<![\d.,-])(\d+)-(\d+)(?=\s*(?:{any_of(words.ranged['scores'])}))",
            lambda found: _joined(found, ":"),
        ),
        # 3시~5시, 5:30~6:30, 월~금.
        (
            r"(?:(?<=\d[시분초년월일층])|(?<=:\d\d))[~∼〜](?=\d)",
            lambda _: f"{words.phrases['range']} ",
        ),
        (
            r"(?<![가-힣])([월화수목금토일])[~∼〜](?=[월화수목금토일](?![가-힣]))",
            lambda found: f"{found[1]}{words.phrases['range']} ",
        ),
        # Telephone: +82 10-1234-5678, 010 1234 5678, 010-1234-5678, 1588-1234, 119.
        (r"\+(82)[ -]?(\d{1,2})[ -](\d{3,4})-(\d{4})(?![\d-])", _abroad),
        (r"(?<![\d-])(01\d)[ .](\d{3,4})[ .](\d{4})(?![\d-])", _telephone),
        (r"(?<![\d-])(0\d{1,2}|1\d{3})-(\d{3,4})(?:-(\d{4}))?(?![\d-])", _telephone),
        (
            rf"(?<![\d.,:/-])({any_of(words.dialled)})(?![\d.,:/-])(?!\s*(?:{native_counters}))(?=[에로을를]|으로|\s|$|[!?])",
            lambda found: in_a_row(found[1]),
        ),
        # Dates: 2026-11-23, 2026. 11. 23., 11/23.
        (r"(?<!\d)(\d{4})[-./] ?(0?[1-9]|1[0-2])[-./] ?(0?[1-9]|[12]\d|3[01])(?!\d)\.?", _date),
        (r"(?<![\d/])(0?[1-9]|1[0-2])/(1[3-9]|2\d|3[01])(?![\d/])", _date),
        (r"(?<![\d.])(0?\d|1[0-2])월", lambda found: _month(int(found[1]))),
        # Times: 3:30 PM, 15:30:10, 3시; scores: 3:2.
        (r"(?<!\d)(\d{1,2})(?::([0-5]\d))?\s*([AaPp])\.?[Mm]\b\.?", _half_day),
        (r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])", _time),
        (r"(\d+)(?:\s*:\s*| 대 |대)(\d+)(?!\d|[가-힣]*[개명살시분])", _versus),
        # 6·25
        (r"(?<!\d)(\d{1,2})·(\d{1,2})(?!\d)", lambda found: in_a_row(found[1] + found[2])),
        # Ranges: 3~5개, 10~20분.
        (rf"{NUMBER}\s*[~∼〜–]\s*({PLAIN})(\s*(?:{native_counters})(?!월))?", _range),
        # Fractions: 1/2.
        (r"(?<![\d/.])(\d{1,3})/([1-9]\d{0,2})(?![\d/])", _fraction),
        # Sums: 5-3=2, 3+4=7.
        (r"(?<=\d)-(?=\d+\s*=)", lambda _: f" {words.operators['-']} "),
        (rf"(?<=\d)\s*([{operators}])\s*(?=\d)", _operator),
        (rf"{NUMBER}\s*=", lambda found: f"{found[1]}{'은' if coda_of(read(found[1])) else '는'} "),
        # Money, temperature and minus: $3.50, $5, ₩1,000원, -3도, -3.
        (r"([$€])\s*(\d+)\.(\d{2})(?!\d)", _cents),
        (
            rf"([$₩€£¥])\s*({PLAIN})(?:\s?{words.units['₩']})?",
            lambda found: f"{read(found[2])} {words.units[found[1]]}",
        ),
        (rf"(?<![\w.])[-−]({PLAIN})\s*(?=도|℃|°C)", _below_zero),
        (r"(?<![\w.])[-−](?=\d)", lambda _: f"{words.phrases['minus']} "),
        # Amounts: 1만, 100km/h, 5km, 3개, 3개월, 7.
        (r"(?<![A-Za-z\d.,제])1(?=[만천백])", lambda _: ""),  # 만 원, not 일만 원; but 일억
        (rf"(?:{words.phrases['per_hour']}\s*)?{NUMBER}\s*km/h(?![A-Za-z])", _speed),
        (rf"{NUMBER}\s*({units})(?![A-Za-z\d])", _unit),
        (rf"{NUMBER}(?=\s*(?:{sino_counters}))", lambda found: read(found[1])),
        (rf"{NUMBER}(\s*)({native_counters})(?=(.?)(\s*\S*))", _counter),
        (rf"{NUMBER}", lambda found: read(found[1])),
        # What is left stands in something odd: 1.2.3, 1,23.
        (r"(?<![A-Za-z\d])\d+", lambda found: read(found[0])),
    ]
    return tuple((re.compile(pattern), read_one) for pattern, read_one in steps)


def _telephone(found: re.Match[str]) -> str:
    return " ".join(in_a_row(part) for part in found.groups() if part)


def _abroad(found: re.Match[str]) -> str:
    return f"{vocabulary().signs['+']} {_telephone(found)}"


def _pointed(found: re.Match[str]) -> str:
    point = f" {vocabulary().phrases['point']} "
    return point.join(read(part) for part in found[0].split("."))


def _joined(found: re.Match[str], sign: str) -> str:
    return f"{found[1]}{sign}{found[2]}"


def _before_the_hour(found: re.Match[str]) -> str:
    return f"{vocabulary().phrases['morning' if found[1] in 'Aa' else 'afternoon']} "


def _cents(found: re.Match[str]) -> str:
    words = vocabulary()
    whole = f"{read(found[2])} {words.units[found[1]]}"
    cents = int(found[3])
    return f"{whole} {sino(cents)} {words.phrases['cent']}" if cents else whole


def _date(found: re.Match[str]) -> str:
    *year, month, day = (int(part) for part in found.groups())
    return " ".join([*(f"{sino(one)}년" for one in year), _month(month), f"{sino(day)}일"])


def _month(number: int) -> str:
    phrases = vocabulary().phrases
    return {6: phrases["june"], 10: phrases["october"]}.get(number, f"{sino(number)}월")


def _clock(hour: int, *rest: str | None) -> str:
    words = [f"{native(hour, counting=True) if 1 <= hour <= 12 else sino(hour)} 시"]
    words += [f"{sino(int(part))}{name}" for part, name in zip(rest, "분초", strict=False) if part]
    return " ".join(word for word in words if not word.startswith("영분"))


def _time(found: re.Match[str]) -> str:
    hour = int(found[1])
    if 12 < hour < 24:
        return f"{vocabulary().phrases['afternoon']} {_clock(hour - 12, found[2], found[3])}"
    return _clock(hour, found[2], found[3])


def _half_day(found: re.Match[str]) -> str:
    half = "morning" if found[3] in "Aa" else "afternoon"
    return f"{vocabulary().phrases[half]} {_clock(int(found[1]), found[2])}"


def _versus(found: re.Match[str]) -> str:
    return f"{sino(int(found[1]))} {vocabulary().phrases['versus']} {sino(int(found[2]))}"


def _range(found: re.Match[str]) -> str:
    counter = (found[3] or "").strip()
    return f"{found[1]}{counter}{vocabulary().phrases['range']} {found[2]}{counter}"


def _fraction(found: re.Match[str]) -> str:
    return f"{sino(int(found[2]))}{vocabulary().phrases['fraction']} {sino(int(found[1]))}"


def _operator(found: re.Match[str]) -> str:
    """A minus without spaces joins (a room, a score) and is not said."""
    if found[1] in "-−" and found[0] == found[1]:
        return " "
    return f" {vocabulary().operators[found[1]]} "


def _below_zero(found: re.Match[str]) -> str:
    return f"{vocabulary().phrases['below_zero']} {found[1]}"


def _speed(found: re.Match[str]) -> str:
    words = vocabulary()
    return f"{words.phrases['per_hour']} {read(found[1])} {words.units['km/h']}"


def _unit(found: re.Match[str]) -> str:
    return f"{read(found[1])} {vocabulary().units[found[2]]}"


def _counter(found: re.Match[str]) -> str:
    number, space, counter, after, rest = found.groups()
    if (
        space
        and after
        and not after.isspace()
        and after not in "이가은는을를도만의에로와과씩쯤정간째짜,.!?~"
    ):
        return f"{read(number)}{space}{counter}"  # the beginning of another word: 3 장난감
    words = vocabulary()
    plain = number.replace(",", "")
    if not plain.isdigit() or plain.startswith("0"):
        return f"{read(number)} {counter}"
    amount, counters = int(plain), words.counters
    if counter == "번째" and amount == 1:
        return f"{words.phrases['first']} {counter}"
    is_sino = (
        (counter == "시" and amount > counters.native_hours)
        or (counter == "시간" and amount > counters.native_duration)
        or (counter == "대" and amount % 10 == 0)  # 20대: people in their twenties
        or (
            counter == "번"
            and (
                amount > counters.native_times
                or (after + rest).lstrip().startswith(counters.numbered)
            )
        )
    )
    return f"{read(number) if is_sino else native(amount, counting=True)} {counter}"
