"""Korean numbers in words: Sino-Korean (일, 이, 삼), native (하나, 둘, 셋) and their mixtures."""

from __future__ import annotations

import re

LIMIT = 10**16  #: exclusive; beyond 조 nobody talks to a doll

_DIGITS = "영일이삼사오육칠팔구"
_SMALL = ((1000, "천"), (100, "백"), (10, "십"))
_BIG = ((10**12, "조"), (10**8, "억"), (10**4, "만"))
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_BEFORE_A_NOUN = {"하나": "한", "둘": "두", "셋": "세", "넷": "네", "스물": "스무"}

_VALUE = {digit: value for value, digit in enumerate(_DIGITS)} | {"공": 0, "륙": 6}
_UNIT = {word: value for value, word in (*_SMALL, *_BIG)}
_NATIVE_TENS = {word: value * 10 for value, word in enumerate(_TENS) if word} | {"스무": 20}
_NATIVE_ONES = {word: value for value, word in enumerate(_ONES) if word} | {
    "한": 1, "두": 2, "세": 3, "네": 4, "여덜": 8,
}  # fmt: skip
_NATIVE = re.compile(
    rf"(?P<tens>{'|'.join(_NATIVE_TENS)})?(?P<ones>{'|'.join(_NATIVE_ONES)})?", re.ASCII
)
_PIECE = re.compile(rf"[0-9]+|[{''.join(_VALUE)}]|[{''.join(_UNIT)}]")
_START = re.compile(
    rf"[0-9{''.join(_VALUE)}{''.join(_UNIT)}]|{'|'.join(_NATIVE_TENS | _NATIVE_ONES)}"
)
_MAX_CHARS = 32  # the longest below LIMIT has 31


def spell(number: int) -> str:
    """`number` as it is counted and calculated with: 123456 -> 십이만 삼천사백오십육."""
    if not -LIMIT < number < LIMIT:
        raise ValueError(f"{number} is too large to be said")
    if number < 0:
        return f"마이너스 {spell(-number)}"
    if number == 0:
        return _DIGITS[0]
    groups = []
    for value, word in _BIG:
        count, number = divmod(number, value)
        if count:
            # 10,000 is 만, but 100,000,000 is 일억.
            groups.append(word if count == 1 and word == "만" else _under_10000(count) + word)
    if number:
        groups.append(_under_10000(number))
    return " ".join(groups)


def spell_digits(digits: str) -> str:
    """Digits one by one, as after a decimal point: 14 -> 일 사."""
    return " ".join(_DIGITS[int(digit)] for digit in digits)


def spell_native(number: int) -> str:
    """1 to 99 as things and hours are counted: 21 -> 스물하나."""
    if not 1 <= number <= 99:
        raise ValueError(f"{number} has no native Korean word")
    return _TENS[number // 10] + _ONES[number % 10]


def spell_before_noun(number: int) -> str:
    """1 to 99 in front of a counted noun: 3 -> 세 (시), 20 -> 스무 (살), 21 -> 스물한 (살)."""
    word = spell_native(number)
    for full, short in _BEFORE_A_NOUN.items():
        if word.endswith(full):
            return word.removesuffix(full) + short
    return word


def read(text: str) -> tuple[int, int] | None:
    """Read the longest number at the beginning of `text`, which holds no spaces.

    Returns its value and its length in characters, or None. 칠이 is 칠 and something else (이 may
    be a particle), 백스물셋 is 123, 3만5천 is 35,000.
    """
    if not _START.match(text):
        return None
    for length in range(min(len(text), _MAX_CHARS), 0, -1):
        value = _value(text[:length])
        if value is not None and value < LIMIT:
            return value, length
    return None


def _under_10000(number: int) -> str:
    word = ""
    for value, unit in _SMALL:
        count, number = divmod(number, value)
        if count:
            word += (_DIGITS[count] if count > 1 else "") + unit
    return word + (_DIGITS[number] if number else "")


def _value(word: str) -> int | None:
    """The value of a word that is a number and nothing else."""
    for split in range(len(word), -1, -1):  # a Sino-Korean head, a native tail
        native = _NATIVE.fullmatch(word[split:])
        if not native:
            continue
        tail = _NATIVE_TENS.get(native["tens"] or "", 0) + _NATIVE_ONES.get(native["ones"] or "", 0)
        if split == 0:
            return tail or None
        head = _sino(word[:split])
        if head is None or (tail and (head == 0 or head % 100)):
            continue
        return head + tail
    return None


def _sino(word: str) -> int | None:
    pieces = _PIECE.findall(word)
    if not pieces or "".join(pieces) != word:
        return None
    total = section = 0
    digit: int | None = None
    small, big = 10**4, LIMIT  # what the next unit has to stay under
    for piece in pieces:
        unit = _UNIT.get(piece)
        if unit is None:
            value = int(piece) if piece.isdecimal() else _VALUE[piece]
            if digit is not None or (value == 0 and len(pieces) > 1):
                return None
            digit = value
        elif unit < 10**4:
            if unit >= small or (digit is not None and digit > 9):
                return None
            section += (1 if digit is None else digit) * unit
            digit, small = None, unit
        else:
            if unit >= big:
                return None
            section += digit or 0
            total += (section or 1) * unit
            section, digit, small, big = 0, None, 10**4, unit
    if digit is not None and small < 10**4 and digit >= small:
        return None  # 십12
    return total + section + (digit or 0)
