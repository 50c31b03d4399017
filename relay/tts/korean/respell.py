"""What the rules cannot see in the spelling, written so that they can.

A word that is pronounced otherwise than its letters say (a compound, a Sino-Korean word, the stem
of a verb, a particle) is spelled so that the rules come to its pronunciation: 솜이불 as 솜니불,
갈등 as 갈뜽, 나의 as 나에. Where a spelling stands for two words, the one a doll says more often
wins.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from relay.tts.korean.jamo import coda_of, take_apart
from relay.tts.korean.rules import TENSE

#: Sections of the lexicon that are words with another spelling.
WORDS = (
    "before_a_word",
    "letters",
    "no_liquid",
    "sino_korean",
    "compounds",
    "inserted",
    "irregular",
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The data of lexicon.toml, ready to be looked up."""

    words: Mapping[str, str]
    numerals: Mapping[str, str]  #: spellings anywhere in a word
    pairs: Mapping[tuple[str, str], tuple[str, str]]
    pair_nouns: frozenset[str]  #: second words of pairs that stand alone or with `pair_particles`
    pair_particles: re.Pattern[str]
    stems: Mapping[str, frozenset[str]]  #: stem -> endings with which it is another word
    endings: frozenset[str]
    dependent: re.Pattern[str]  #: a dependent noun with its particles
    others: frozenset[str]  #: words in ㄹ that modify nothing
    modifier_endings: re.Pattern[str]  #: (stem)(ending that begins with -ㄹ, without it)
    stems_in_l: tuple[str, ...]
    nouns_in_ui: tuple[str, ...]
    nouns_in_yo: tuple[str, ...]


@functools.cache
def lexicon() -> Lexicon:
    """The lexicon that is shipped."""
    data = tomllib.loads(files("relay.tts.korean").joinpath("lexicon.toml").read_text("utf-8"))
    pairs = {}
    for written, spelled in data["pairs"].items():
        first, second = written.split()
        spelled_first, spelled_second = spelled.split()
        pairs[first, second] = (spelled_first, spelled_second)
    modifiers = data["modifiers"]
    return Lexicon(
        words={word: spelled for name in WORDS for word, spelled in data[name].items()},
        numerals=data["numerals"],
        pairs=pairs,
        pair_nouns=frozenset(data["pair_nouns"]["words"]),
        pair_particles=re.compile(f"(?:{_any(data['pair_nouns']['particles'])})*"),
        stems={stem: frozenset(other) for stem, other in data["stems"].items()},
        endings=frozenset(data["endings"]["words"]),
        dependent=re.compile(
            f"(?:{_any(modifiers['dependent'])})(?:{_any(modifiers['particles'])})*"
        ),
        others=frozenset(modifiers["others"]),
        modifier_endings=re.compile(f"(.+)({_any(modifiers['endings'])})"),
        stems_in_l=tuple(modifiers["stems_in_l"]),
        nouns_in_ui=tuple(data["nouns_in_ui"]["words"]),
        nouns_in_yo=tuple(data["nouns_in_yo"]["words"]),
    )


def _any(words: Sequence[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def respell(words: Sequence[str]) -> list[str]:
    """Spell the `words` of one phrase, all Hangul, as they are to be read by the rules."""
    known = lexicon()
    spelled = [_word(word, known) for word in words[:-1]]
    spelled += [_word(word, known, last=True) for word in words[-1:]]
    for position in range(1, len(words)):
        first, second = words[position - 1], words[position]
        _pair(spelled, position, first, second, known)
        if _is_modifier(first, known) and known.dependent.fullmatch(second):
            spelled[position] = tensed(spelled[position])
    return spelled


def tensed(word: str) -> str:
    """`word` with its first consonant tensed: 것 as 껏."""
    first = take_apart(word[0])[0]
    first.onset = TENSE.get(first.onset, first.onset)
    return f"{first}{word[1:]}"


def _word(word: str, known: Lexicon, *, last: bool = False) -> str:
    for numeral, spelled in known.numerals.items():
        word = word.replace(numeral, spelled)
    for size in range(len(word), 1, -1):
        if found := known.words.get(word[:size]):
            rest = word[size:]
            return found + (_ending(rest, known, last) or _particle(rest, known, found))
    for size in range(1, len(word)):
        stem, ending = word[:size], word[size:]
        if ending in known.endings and ending not in known.stems.get(stem, known.endings):
            return stem + tensed(ending)  # rule 24
    return _ending(word, known, last) or _particle(word, known)


def _ending(word: str, known: Lexicon, last: bool) -> str | None:
    """Rule 27, addition: 할게 as 할께; None where `word` has no such ending.

    -게 and -지 are also endings without -ㄹ, which stems in ㄹ take: 알지, 놀게 해. At the end of a
    phrase 놀게 is a promise.
    """
    found = known.modifier_endings.fullmatch(word)
    if found is None or coda_of(found[1]) != "ㄹ":
        return None
    stem, ending = found.groups()
    if ending[0] in "게지" and stem.endswith(known.stems_in_l):
        promise = last and ending in ("게", "게요") and stem not in ("길", "달")
        if not promise:
            return None
    return stem + tensed(ending)


def _particle(word: str, known: Lexicon, noun: str = "") -> str:
    """Rules 5.4 and 29: 의 and 요 behind a noun; `word` is what follows the letters of `noun`."""
    before, end = word[:-1], word[-1:]
    if end == "의" and (before or noun) and not _is_noun(word, known.nouns_in_ui):
        return before + "에"
    if end == "요" and coda_of(before or noun) and not _is_noun(word, known.nouns_in_yo):
        return before + "뇨"
    return word


def _is_noun(word: str, nouns: tuple[str, ...]) -> bool:
    """Whether `word` ends in one of `nouns`, and is not one with a particle (강의의)."""
    return word.endswith(nouns) and not word[:-1].endswith(nouns)


def _is_modifier(word: str, known: Lexicon) -> bool:
    return coda_of(word) == "ㄹ" and not word.endswith("를") and word not in known.others


def _pair(spelled: list[str], position: int, first: str, second: str, known: Lexicon) -> None:
    """Put in the spelling of two words said as one; each may be longer at its outer end."""
    for head in range(len(first)):
        for size in range(len(second), 0, -1):
            noun, rest = second[:size], second[size:]
            found = known.pairs.get((first[head:], noun))
            if noun in known.pair_nouns and not known.pair_particles.fullmatch(rest):
                continue
            if found and (head == 0 or len(first) - head > 1):
                if found[0] != first[head:]:
                    spelled[position - 1] = first[:head] + found[0]
                if found[1] != noun:
                    spelled[position] = found[1] + rest
                return
