"""The answer to arithmetic, in words."""

from __future__ import annotations

from fractions import Fraction

from relay.llm.local import numbers_en, numbers_ko
from relay.llm.local.arithmetic import Expression
from relay.llm.local.content import Sums

MAX_DECIMALS = 3


def answers(expression: Expression, sums: Sums, language: str) -> tuple[str, ...]:
    """The ways to say what an expression comes to."""
    question = _question(expression, sums, language)
    try:
        value = expression.value()
        quotient_and_rest = _remainder(expression)
        if quotient_and_rest and not _is_decimal(value):
            quotient, rest = (_spell(number, language) for number in quotient_and_rest)
            return tuple(
                _sentence(variant.format(question=question, quotient=quotient, rest=rest))
                for variant in sums.remainder
            )
        answer = say(value, sums, language)
    except ZeroDivisionError:
        return sums.zero_division
    except ValueError:
        return sums.too_large
    return tuple(
        _sentence(variant.format(question=question, answer=answer)) for variant in sums.result
    )


def say(value: Fraction, sums: Sums, language: str) -> str:
    """A number as it is spoken: three point five, 삼분의 일. Raises ValueError if too large."""
    if value < 0:
        return f"{sums.minus} {say(-value, sums, language)}"
    if value.denominator == 1:
        return _spell(value.numerator, language)
    if not _is_decimal(value):
        return sums.fraction.format(
            numerator=_spell(value.numerator, language),
            denominator=_spell(value.denominator, language),
        )
    scaled = value * 10**MAX_DECIMALS
    whole, decimals = divmod(scaled.numerator, 10**MAX_DECIMALS)
    digits = f"{decimals:0{MAX_DECIMALS}d}".rstrip("0")
    numbers = numbers_ko if language == "ko" else numbers_en
    return f"{_spell(whole, language)} {sums.point} {numbers.spell_digits(digits)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _question(expression: Expression, sums: Sums, language: str) -> str:
    words = [say(expression.operands[0], sums, language)]
    for operator, operand in zip(expression.operators, expression.operands[1:], strict=True):
        words += [sums.operators[operator], say(operand, sums, language)]
    return " ".join(words)


def _remainder(expression: Expression) -> tuple[int, int] | None:
    """Quotient and rest, if this is one division of whole numbers."""
    if expression.operators != "/" or any(
        operand.denominator != 1 or operand <= 0 for operand in expression.operands
    ):
        return None
    dividend, divisor = (operand.numerator for operand in expression.operands)
    return divmod(dividend, divisor)


def _is_decimal(value: Fraction) -> bool:
    scaled: Fraction = value * 10**MAX_DECIMALS
    return scaled.denominator == 1


def _spell(number: int, language: str) -> str:
    return numbers_ko.spell(number) if language == "ko" else numbers_en.spell(number)
