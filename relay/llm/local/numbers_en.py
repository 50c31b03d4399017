"""English numbers in words, as the British and the Americans both understand them."""

from __future__ import annotations

from collections.abc import Sequence

LIMIT = 10**16  #: exclusive

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = [".", ".", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_BIG = (
    (10**15, "quadrillion"),
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
)

_VALUE = {word: value for value, word in enumerate(_ONES)}
_VALUE_OF_TENS = {word: value * 10 for value, word in enumerate(_TENS) if value >= 2}
_SCALE = {word: value for value, word in _BIG}
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip


def spell(number: int) -> str:
    """`number` in words: 1234 -> one thousand two hundred and thirty-four."""
    if not -LIMIT < number < LIMIT:
        raise ValueError(f"{number} is too large to be said")
    if number < 0:
        return f"minus {spell(-number)}"
    groups = []
    for value, word in _BIG:
        count, number = divmod(number, value)
        if count:
            groups.append(f"{_under_1000(count)} {word}")
    if number or not groups:
        joint = "and " if groups and number < 100 else ""
        groups.append(joint + _under_1000(number))
    return " ".join(groups)


def spell_digits(digits: str) -> str:
    """Digits one by one, as after a decimal point: 14 -> one four."""
    return " ".join(_ONES[int(digit)] for digit in digits)


def spell_ordinal(number: int) -> str:
    """23 -> twenty-third."""
    head, dash, last = spell(number).rpartition("-")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = f"{last[:-1]}ieth"
    else:
        last = f"{last}th"
    return head + dash + last


def read(words: Sequence[str]) -> tuple[int, int] | None:
    """Read the longest number at the beginning of `words` (lower case, no hyphens).

    Returns its value and how many words it took, or None.
    """
    total, section, taken = 0, 0, 0
    scale = LIMIT
    room = 1000  # what the next word of this section has to stay under
    for at, word in enumerate(words):
        if word == "and":
            # Part of a number only behind a hundred or a larger unit and before a small one.
            following = words[at + 1] if at + 1 < len(words) else ""
            if (
                taken != at
                or room == 1
                or not (words[at - 1] in _SCALE or words[at - 1] == "hundred")
            ):
                break
            if following not in _VALUE and following not in _VALUE_OF_TENS:
                break
            taken += 1
            continue
        if word == "a" and not taken:
            if len(words) > 1 and (words[1] == "hundred" or words[1] in _SCALE):
                section, room, taken = 1, 10, 1
                continue
            break
        if word in _VALUE_OF_TENS and room >= 100:
            section, room = section + _VALUE_OF_TENS[word], 10
        elif word in _VALUE and _VALUE[word] < room and (room > 10 or _VALUE[word]):
            section += _VALUE[word]
            room = 1
            if _VALUE[word] == 0:
                return (0, 1) if not taken else None
        elif word == "hundred" and 0 < section < 10 and (room == 1 or taken == 1):
            section, room = section * 100, 100
        elif word in _SCALE and section and _SCALE[word] < scale:
            scale = _SCALE[word]
            total, section, room = total + section * scale, 0, 1000
        else:
            break
        taken = at + 1
    return (total + section, taken) if taken else None


def _under_1000(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest or not words:
        if rest < 20:
            words.append(_ONES[rest])
        else:
            tens, ones = divmod(rest, 10)
            words.append(_TENS[tens] + (f"-{_ONES[ones]}" if ones else ""))
    return " and ".join(words)
