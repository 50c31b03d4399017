"""Languages as services name them, and as their letters tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_CODE = re.compile(r"[a-z]{2,3}")

#: English names that OpenAI's Whisper answers with in place of a code. Others are cut from the
#: BCP 47 tag that a service gives ("ko-KR").
_NAMES: Final = {
    "korean": "ko",
    "english": "en",
    "japanese": "ja",
    "chinese": "zh",
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "italian": "it",
    "portuguese": "pt",
    "dutch": "nl",
    "russian": "ru",
    "vietnamese": "vi",
    "thai": "th",
    "indonesian": "id",
    "arabic": "ar",
    "hindi": "hi",
    "turkish": "tr",
    "polish": "pl",
    "ukrainian": "uk",
}

#: Letters that give a language away among those that are written in others.
_SCRIPTS: Final = {
    "ko": re.compile("[가-힣ᄀ-ᇿㄱ-ㆎ]"),
    "ja": re.compile("[぀-ヿ]"),
    "zh": re.compile("[㐀-鿿]"),
    "ru": re.compile("[Ѐ-ӿ]"),
    "th": re.compile("[฀-๿]"),
    "ar": re.compile("[؀-ۿ]"),
    "hi": re.compile("[ऀ-ॿ]"),
}


def is_code(language: str) -> bool:
    """Whether `language` has the form of an ISO 639 code."""
    return _CODE.fullmatch(language) is not None


def code_of(told: str) -> str:
    """The ISO 639-1 code in what a service told ("korean", "ko-KR", "KO"); empty if none is."""
    plain = told.strip().casefold()
    code = _NAMES.get(plain) or re.split("[-_]", plain)[0]
    return code if is_code(code) else ""


def written_in(text: str, languages: Sequence[str]) -> str:
    """The one of `languages` (at least one) that `text` is likeliest written in, by its letters."""
    for language in languages:
        script = _SCRIPTS.get(language)
        if script is not None and script.search(text):
            return language
    return next((language for language in languages if language not in _SCRIPTS), languages[0])
