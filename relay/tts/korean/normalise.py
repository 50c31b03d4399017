"""Written Korean to words: nothing is left but Hangul, Latin words and , . ! ? for the pauses."""

from __future__ import annotations

import re
import unicodedata

from relay.tts.korean.latin import read_latin
from relay.tts.korean.numerals import read_numbers
from relay.tts.korean.vocabulary import vocabulary

#: Full-width forms (！ to ～) lie this far above their ASCII forms.
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}

#: Signs that are a pause.
PAUSES = str.maketrans(
    {
        "。": ".",
        "．": ".",
        "…": ".",
        "、": ",",
        "，": ",",
        ":": ",",
        ";": ",",
        "(": ",",
        ")": ",",
        "[": ",",
        "]": ",",
        "—": ",",
        "–": ",",
        "\n": ",",
        "/": " ",
        "·": " ",
        "_": " ",
    }
)

JAMO = re.compile(r"[ㄱ-ㅣ]+")
UNSPEAKABLE = re.compile(r"[^가-힣A-Za-z'’,.!?\s]+")
#: Several pauses in a row are the strongest of them; see `_strongest`.
PAUSE = re.compile(r"\s*([,.!?][\s,.!?]*)")


def normalise(text: str) -> str:
    """`text` as words of Hangul, Latin words that an English voice has to say, and pauses.

    Characters that cannot be said are dropped. Empty when there is nothing to say.
    """
    text = unicodedata.normalize("NFC", text).translate(FULL_WIDTH)
    text = read_latin(read_numbers(text))
    text = JAMO.sub(lambda found: _jamo(found[0]), text)
    for sign, word in vocabulary().signs.items():
        text = text.replace(sign, f" {word} ")
    text = UNSPEAKABLE.sub("", text.translate(PAUSES))
    text = PAUSE.sub(lambda found: _strongest(found[1]), text)
    text = " ".join(text.split()).lstrip(",.!? ")
    return text if any(character.isalpha() for character in text) else ""


def _jamo(letters: str) -> str:
    """A single letter has a name; letters in a row are laughter (ㅋㅋ) or tears (ㅠㅠ)."""
    words = vocabulary()
    if len(letters) == 1:
        return words.jamo.get(letters, "")
    feelings = (words.feelings.get(letter, "") for letter in dict.fromkeys(letters))
    return " " + " ".join(filter(None, feelings)) + " "


def _strongest(pauses: str) -> str:
    return next(mark for mark in "?!.," if mark in pauses) + " "
