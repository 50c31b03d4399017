"""From spelling to standard pronunciation, phrase by phrase."""

from __future__ import annotations

import re

from relay.tts.korean import rules
from relay.tts.korean.jamo import Syllable, take_apart
from relay.tts.korean.respell import respell

#: Words of Hangul with only spaces between them are said in one breath.
PHRASE = re.compile(r"[가-힣]+(?:\s+[가-힣]+)*")


def pronounce(text: str) -> str:
    """`text` as it is pronounced, in Hangul and with its spaces: "밭 아래" gives "바 다래".

    What is not Hangul stays as it is and parts the phrases; `normalise.normalise` makes Hangul of
    numbers, letters and signs first.
    """
    return PHRASE.sub(
        lambda found: " ".join("".join(map(str, word)) for word in syllables(found[0])), text
    )


def syllables(phrase: str, *, one_breath: bool = True) -> list[list[Syllable]]:
    """The words of one phrase, all Hangul and spaces, as pronounced syllables.

    With `one_breath` the rules hold across the spaces (매운 음식 [매우 늠식]), as in fluent speech;
    without, each word is said by itself, as in careful speech. What makes two words one (할 거야
    [할 꺼야], 무슨 일 [무슨 닐]) is kept either way.
    """
    words = [take_apart(word) for word in respell(phrase.split())]
    for breath in [words] if one_breath else [[word] for word in words]:
        rules.apply(breath)
    return words
