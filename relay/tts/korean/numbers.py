"""Numbers in Korean words: Sino-Korean, native, and digit by digit."""

from __future__ import annotations

DIGITS = "영일이삼사오육칠팔구"
#: How digits are read one by one: in telephone numbers 0 is 공.
DIGITS_IN_A_ROW = "공일이삼사오육칠팔구"
PLACES = ("", "십", "백", "천")
#: Every four digits have a name.
MYRIADS = ("", "만", "억", "조", "경")

NATIVE_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
#: Before a counter: 한 개, 두 개, 세 개, 네 개, 스무 개.
BEFORE_COUNTER = {"하나": "한", "둘": "두", "셋": "세", "넷": "네", "스물": "스무"}

#: The first number too long for the names above.
TOO_LONG = 10 ** (4 * len(MYRIADS))


def sino(number: int) -> str:
    """`number` (not negative) in Sino-Korean words, a space behind each name of a myriad.

    12345 is 만 이천삼백사십오. A number of more than 20 digits is read digit by digit.
    """
    if number >= TOO_LONG:
        return in_a_row(str(number))
    if number == 0:
        return DIGITS[0]
    groups = []
    for myriad in MYRIADS:
        number, group = divmod(number, 10_000)
        if group:
            # One myriad is 만, not 일만; but 일억 and 일조 are said so.
            words = "" if group == 1 and myriad == "만" and not number else _below_myriad(group)
            groups.append(words + myriad)
    return " ".join(reversed(groups))


def _below_myriad(number: int) -> str:
    words = ""
    for place, name in reversed(list(enumerate(PLACES))):
        digit = number // 10**place % 10
        if digit:
            words += ("" if digit == 1 and name else DIGITS[digit]) + name
    return words


def native(number: int, *, counting: bool) -> str:
    """`number` (1 to 99) in native words; `counting` gives the form before a counter.

    Above 99 the hundreds are Sino-Korean, as they are spoken: 105 is 백다섯.
    """
    above, below = divmod(number, 100)
    if above or not number:
        return sino(number - below) + (native(below, counting=counting) if below else "")
    tens, ones = NATIVE_TENS[below // 10], NATIVE_ONES[below % 10]
    if counting and ones:
        ones = BEFORE_COUNTER.get(ones, ones)
    elif counting:
        tens = BEFORE_COUNTER.get(tens, tens)
    return tens + ones


def in_a_row(digits: str) -> str:
    """`digits` one by one: 010 is 공일공."""
    return "".join(DIGITS_IN_A_ROW[int(digit)] for digit in digits)


def decimal(whole: str, fraction: str) -> str:
    """A decimal number: 3.14 is 삼 점 일사, 0.05 is 영 점 영오."""
    read = "".join(DIGITS[int(digit)] for digit in fraction)
    return f"{sino(int(whole))} 점 {read}"
