"""What a voice can say of a text that a language model wrote."""

from __future__ import annotations

import re
import unicodedata

from relay import locales
from relay.turn import emoticons, markup

_RANGE = re.compile(r"(?<=\w)\s?[~～〜]\s?(?=\d)")
_TIDY: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[!-~]{61,}"), " "),  # no word is as long: a digest, a token, a file
    (re.compile(r"[\s~～〜|「」『』《》〈〉【】]+"), " "),  # first: what follows takes no long runs
    (re.compile(r"\.{2,}|…+(?:\s*\.)*"), "…"),
    (re.compile(r"([!?])\1+"), r"\1"),
    (re.compile(r"(?:\?!){2,}|(?:!\?)+"), "?!"),
    (re.compile(r"\"\s*\"|“\s*”|‘\s*’|(?<!\w)'\s*'"), " "),
    (re.compile(r"\s+(?=[,.!?…。？！](?!\w))"), ""),
    (re.compile(r",(?:\s*,)+"), ","),
    (re.compile(r",\s*(?=[.!?…。？！])"), ""),
    (re.compile(r"(?<=[.!?…。？！]),"), ""),
    (re.compile(r"\A[\s,;:!?…·]+|\A[-–—.*+=/\\]+(?=\s|\Z)"), ""),
    (re.compile(r"\s+"), " "),
)

#: Words with single spaces and at most one mark behind each: most clauses, and nothing to do.
_WORD = "[가-힣A-Za-z0-9]{1,60}(?:[,!?]|(?<!\\d)\\.)?"
_PLAIN = re.compile(f"{_WORD}(?: {_WORD})*")


def speakable(text: str, language: str) -> str:
    """`text` as it is to be spoken, in one line; "" where there is nothing to say.

    Gone are emoji and kaomoji, spelled-out laughs, markdown and HTML, and stage directions. An
    address becomes the word for one, a fenced block of code a sentence that says so (both from the
    locale files). Numbers, units, names such as C++, and quotes stay as they are: how to read those
    is the voice's matter.
    """
    return text if not text or _PLAIN.fullmatch(text) else _cleaned(text, language)


def _cleaned(text: str, language: str) -> str:
    text = unicodedata.normalize("NFC", text)
    text = markup.without_links(markup.without_code(text, language), language)
    text = markup.without_inline_code(emoticons.without_faces(text))
    text = markup.without_directions(markup.without_layout(text), language)
    text = emoticons.without_pictures(markup.without_emphasis(text))
    text = _RANGE.sub(locales.text(language, "speakable.range"), text)
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    return text.strip() if any(c.isalnum() for c in text) else ""
