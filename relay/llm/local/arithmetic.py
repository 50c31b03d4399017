"""Arithmetic as it is spoken, in Korean and English: 칠 더하기 오는? Twelve divided by four?

Reading is in two steps. A language's tokenizer finds numbers, operators, and what joins them; the
rest is the same for both. Values are exact fractions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from relay.llm.local import numbers_en, numbers_ko

MAX_OPERAND = 10**12
MAX_OPERANDS = 8
MAX_TEXT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Expression:
    """Operands with the operators (+, -, *, /) between them."""

    operands: tuple[Fraction, ...]
    operators: str

    def value(self) -> Fraction:
        """The result, multiplication and division first. Raises ZeroDivisionError."""
        total, term = Fraction(0), self.operands[0]
        for operator, operand in zip(self.operators, self.operands[1:], strict=True):
            if operator == "*":
                term *= operand
            elif operator == "/":
                term /= operand
            else:
                total += term
                term = operand if operator == "+" else -operand
        return total + term


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  #: number, operator, joint (and, 에), verb (더하면, add), idle, other
    text: str  #: of an operator or verb: the sign
    value: Fraction = Fraction(0)


def parse(text: str, language: str) -> Expression | None:
    """Find an expression in what was said, or None. Numbers beyond MAX_OPERAND are not read."""
    if len(text) > MAX_TEXT_CHARS or not _SIGN_OF_ARITHMETIC.search(text.lower()):
        return None
    tokens = list(_tokens_ko(text) if language == "ko" else _tokens_en(text))
    for start in range(len(tokens)):
        found = _infix(tokens, start) or _around(tokens, start)
        if found:
            return found
    return None


# Most of what is said is no arithmetic, and reading numbers is the slow part.
_SIGN_OF_ARITHMETIC = re.compile(
    r"[-+−*×÷/xX]|더 ?하|더 ?해|합 ?[하치]|플 ?러 ?스|빼|마 ?이 ?너 ?스|곱|나 ?[누눠]"
    r"|plus|minus|times|multipl|divide|take|added|\badd|subtract|\bsum\b"
)

# The same for both languages


def _infix(tokens: list[_Token], start: int) -> Expression | None:
    """number operator number [operator number …]"""
    operands: list[Fraction] = []
    operators = ""
    doubtful = False
    at = start
    while (read := _signed(tokens, at)) and len(operands) < MAX_OPERANDS:
        operand, at = read
        operands.append(operand)
        after = at + 1 if at < len(tokens) and tokens[at].kind == "joint" else at
        if after + 1 >= len(tokens) or tokens[after].kind != "operator":
            break
        if not _signed(tokens, after + 1):
            break
        operators += tokens[after].text[0]
        doubtful = doubtful or tokens[after].text in ("-?", "/?")
        at = after + 1
    if len(operands) < 2:
        return None
    operators = operators[: len(operands) - 1]
    # 11/23 is a division only if nothing else was said, and 010-1234-5678 is a telephone number.
    alone = all(token.kind in ("idle", "joint") for token in (*tokens[:start], *tokens[at:]))
    if doubtful and (len(operators) > 1 or not alone):
        return None
    return Expression(tuple(operands), operators)


def _signed(tokens: list[_Token], at: int) -> tuple[Fraction, int] | None:
    sign = 1
    if at < len(tokens) and tokens[at].kind == "operator" and tokens[at].text[0] == "-":
        sign, at = -1, at + 1
    if at < len(tokens) and tokens[at].kind == "number":
        return sign * tokens[at].value, at + 1
    return None


def _around(tokens: list[_Token], start: int) -> Expression | None:
    """The verb stands behind both numbers (칠에 오를 더하면) or in front (add five to two)."""
    kinds = [token.kind for token in tokens[start : start + 5]]
    if kinds[:4] == ["number", "joint", "number", "verb"]:
        first, second, verb = tokens[start], tokens[start + 2], tokens[start + 3]
    elif kinds == ["number", "joint", "number", "joint", "verb"]:
        first, second, verb = tokens[start], tokens[start + 2], tokens[start + 4]
    elif kinds[:4] == ["verb", "number", "joint", "number"]:
        verb, first, joint, second = tokens[start : start + 4]
        if joint.text == "from":
            first, second = second, first
    else:
        return None
    return Expression((first.value, second.value), verb.text)


# Korean: spaces mean little after speech recognition, so they are taken out first

_OPERATORS_KO = re.compile(
    r"(?P<plus>더하기|플러스|\+)|(?P<minus>빼기|마이너스|−)|(?P<times>곱하기|[×*xX])"
    r"|(?P<over>나누기|÷)|(?P<dash>-)|(?P<slash>/)"
)
_VERBS_KO = re.compile(
    r"(?P<plus>더하|더해|합하|합치)|(?P<minus>빼면|빼봐|빼줘)|(?P<times>곱하|곱해)|(?P<over>나누|나눠)"
)
_JOINT_KO = re.compile("에서|에다가|에다|에|이랑|랑|하고|와|과|으로|로|을|를|은|는|이|가")
_POINT_KO = re.compile(rf"(?:점|\.)((?:[{'영공일이삼사오육칠팔구'}]|[0-9]){{1,6}})")
_IDLE_KO = re.compile(
    r"(?:=|\?|!|\.|,|얼마|뭐|뭔|몇|무엇|계산|해|줘|봐|야|지|니|요|이|에|게|은|는)"
)
_SIGNS = {"plus": "+", "minus": "-", "times": "*", "over": "/", "dash": "-?", "slash": "/?"}


def _tokens_ko(text: str) -> Iterator[_Token]:
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = "".join(text.split())
    at = 0
    after_number = False
    while at < len(text):
        if operator := _OPERATORS_KO.match(text, at):
            yield _Token("operator", _SIGNS[operator.lastgroup or ""])
            at, after_number = operator.end(), False
        elif verb := _VERBS_KO.match(text, at):
            yield _Token("verb", _SIGNS[verb.lastgroup or ""])
            at, after_number = verb.end(), False
        elif not after_number and (read := numbers_ko.read(_before_sign(text, at))):
            value, length = Fraction(read[0]), read[1]
            at += length
            if point := _POINT_KO.match(text, at):
                value += _decimals(point[1])
                at = point.end()
            yield _number(value)
            after_number = True
        elif after_number and (joint := _JOINT_KO.match(text, at)):
            yield _Token("joint", joint[0])
            at, after_number = joint.end(), False
        elif idle := _IDLE_KO.match(text, at):
            yield _Token("idle", idle[0])
            at, after_number = idle.end(), False
        else:
            yield _Token("other", text[at])
            at, after_number = at + 1, False


def _before_sign(text: str, at: int) -> str:
    """Up to the next operator: 일곱하기 is 일 곱하기, although 일곱 is seven."""
    signs = (pattern.search(text, at) for pattern in (_OPERATORS_KO, _VERBS_KO))
    return text[at : min(sign.start() if sign else len(text) for sign in signs)]


def _decimals(digits: str) -> Fraction:
    value = "".join(
        str(max("영일이삼사오육칠팔구".find(d), 0)) if not d.isdecimal() else d for d in digits
    )
    return Fraction(int(value), 10 ** len(value))


# English: by words

_WORDS_EN = {
    "plus": "+", "+": "+", "minus": "-", "−": "-", "times": "*", "x": "*", "*": "*", "×": "*",
    "÷": "/", "-": "-?", "/": "/?",
}  # fmt: skip
_PAIRS_EN = {
    ("multiplied", "by"): "*", ("divided", "by"): "/", ("take", "away"): "-", ("added", "to"): "+",
}  # fmt: skip
_VERBS_EN = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "sum": "+"}
_JOINTS_EN = frozenset({"and", "to", "from", "by", "with"})
_IDLE_EN = frozenset(
    [
        "what",
        "what's",
        "whats",
        "is",
        "how",
        "much",
        "calculate",
        "equals",
        "equal",
        "makes",
        "=",
        "?",
        "tell",
        "me",
        "the",
        "of",
        "answer",
    ]
)
_PIECE_EN = re.compile(r"\d[\d,]*(?:\.\d{1,6})?|[a-z']+|[-+−*×÷/=?]|[^\s\w]|\w")


def _tokens_en(text: str) -> Iterator[_Token]:
    # A hyphen between letters joins a number (twenty-one); any other may be a minus.
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower())
    words = _PIECE_EN.findall(text)
    at = 0
    while at < len(words):
        word = words[at]
        pair = (word, words[at + 1] if at + 1 < len(words) else "")
        if pair in _PAIRS_EN:
            yield _Token("operator", _PAIRS_EN[pair])
            at += 2
            continue
        if word[0].isdecimal() and word.isascii():
            yield _number(Fraction(word.replace(",", "")))
        elif read := numbers_en.read(words[at : at + 30]):
            value, taken = Fraction(read[0]), read[1]
            at += taken
            if words[at : at + 1] == ["point"]:
                digits = ""
                while at + 1 < len(words) and (one := numbers_en.read([words[at + 1]])):
                    if one[0] > 9 or len(digits) == 6:
                        break
                    digits, at = digits + str(one[0]), at + 1
                if digits:
                    value, at = value + Fraction(int(digits), 10 ** len(digits)), at + 1
            yield _number(value)
            continue
        elif word in _WORDS_EN:
            yield _Token("operator", _WORDS_EN[word])
        elif word in _VERBS_EN:
            yield _Token("verb", _VERBS_EN[word])
        elif word in _JOINTS_EN:
            yield _Token("joint", word)
        elif word not in _IDLE_EN:
            yield _Token("other", word)
        at += 1


def _number(value: Fraction) -> _Token:
    return _Token("number" if value <= MAX_OPERAND else "other", "", value)
