"""English text as words that can be compared, so that spelling alone is no error of recognition.

After the normaliser that OpenAI published with Whisper and that most reports of word error rates
use (whisper/normalizers/english.py; Radford et al. 2022, appendix C): no case, no punctuation, no
hesitations, contractions written out, British spelling as American, and numbers alike however they
are written. It writes numbers in digits; here they become words, to the same effect.
"""

from __future__ import annotations

import re
import unicodedata

from relay.llm.local.numbers_en import spell, spell_digits, spell_ordinal

#: Hesitations, which nobody means to write.
FILLERS = frozenset({"hmm", "hm", "mm", "mhm", "mmm", "uh", "um"})

#: Contractions with a form of their own, then those that are endings.
CONTRACTIONS = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "let's": "let us",
    "gonna": "going to",
    "gotta": "got to",
    "wanna": "want to",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "st": "saint",
    "ok": "okay",
}
ENDINGS = (
    ("n't", " not"),
    ("'re", " are"),
    ("'ll", " will"),
    ("'ve", " have"),
    ("'m", " am"),
    ("'s", " is"),  # also where it is a genitive: both sides are treated alike
    ("'d", " would"),
)

#: British endings of words that are everyday ones, and the words themselves.
SPELLING = (
    (re.compile(r"^(col|fav|flav|hon|hum|lab|neighb|harb|behavi|rum|vap)our(\w*)$"), r"\1or\2"),
    (re.compile(r"^(cent|theat|met|lit|fib)re(s?)$"), r"\1er\2"),
    (re.compile(r"^(real|organ|apolog|recogn|memor)is(e\w*|ing)$"), r"\1iz\2"),
    (re.compile(r"^(dial|cancel|travel|label|level|model|signal)l(ed|ing|er|ers)$"), r"\1\2"),
    (re.compile(r"^grey(\w*)$"), r"gray\1"),
    (re.compile(r"^pyjamas$"), "pajamas"),
    (re.compile(r"^(catalog|dialog)ue(s?)$"), r"\1\2"),
    (re.compile(r"^mum(my|mies|s)?$"), r"mom\1"),
)

#: Digits longer than this are said one by one, as telephone numbers are.
LONGEST_NUMBER = 12

MONEY = re.compile(r"\$(\d[\d,]*(?:\.\d+)?)")
PERCENT = re.compile(r"(?<=\d)\s*%")
CLOCK = re.compile(r"\b(\d{1,2}):([0-5]\d)\b")
SEPARATOR = re.compile(r"(?<=\d),(?=\d{3})")
POINT = re.compile(r"(?<=\d)\.(?=\d)")
ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
DIGITS = re.compile(r"\d+")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")


def words(text: str) -> list[str]:
    """The words of `text`, spelled alike."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    plain = SEPARATOR.sub("", plain)
    plain = PERCENT.sub(" percent", MONEY.sub(r"\1 dollars", plain))
    plain = CLOCK.sub(lambda found: f"{found[1]} {_minutes(found[2])}", plain)
    plain = POINT.sub(" point ", plain)
    plain = ORDINAL.sub(lambda found: f" {ordinal(found[1])} ", plain)
    plain = DIGITS.sub(lambda found: f" {number(found[0])} ", plain)
    said = (part for word in WORD.findall(plain) for part in _written_out(word).split())
    return [_american(word) for word in said if word not in FILLERS]


def number(digits: str) -> str:
    """`digits` as the words of a number: 105 is "one hundred five" (Whisper drops the "and")."""
    if len(digits) > LONGEST_NUMBER or (len(digits) > 1 and digits[0] == "0"):
        return spell_digits(digits)
    return _plain(spell(int(digits)))


def ordinal(digits: str) -> str:
    """`digits` as an ordinal: 21 is "twenty first"."""
    if len(digits) > LONGEST_NUMBER:
        return spell_digits(digits) + "th"
    return _plain(spell_ordinal(int(digits)))


def _plain(said: str) -> str:
    return said.replace("-", " ").replace(" and ", " ")


def _minutes(digits: str) -> str:
    """The minutes of a clock: nothing at the full hour."""
    return "" if digits == "00" else digits


def _written_out(word: str) -> str:
    if whole := CONTRACTIONS.get(word):
        return whole
    for ending, full in ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + full
    return word.replace("'", "")


def _american(word: str) -> str:
    for pattern, spelling in SPELLING:
        word = pattern.sub(spelling, word)
    return word
