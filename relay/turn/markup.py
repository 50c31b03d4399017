"""Markdown, links, code and stage directions: written for the eye, taken out for the voice."""

from __future__ import annotations

import re
from itertools import pairwise

from relay import locales

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_INLINE_CODE = re.compile(r"`([^`\n]{1,100})`")
_READS_AS_A_WORD = re.compile(r"[^\W_]+(?:[ .+#'/_-]+[^\W_]+)*[+#]{0,2}")

_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")

_IMAGE_OR_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,200})\]\([^()\s]{0,500}(?:\([^()\s]{0,100}\))?[^()\s]{0,99}\)"
)
_URL = re.compile(r"<?(?:https?://|www\.)[!-~]+", re.IGNORECASE)
_AFTER_URL = re.compile(r"[.,!?;:'\"*_`~>)\]}]+\Z")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,100}>")

_RULE = re.compile(r"([-*_=])(?:[ \t]*\1){2,}")
_TABLE_RULE = re.compile(r"\|?[ \t:]*-[-| \t:]*")
_LINE_START = re.compile(r"(?:>[ \t]*)*(?:#{1,6}[ \t]+|[-*+•‣▪·–][ \t]+(?:\[[ xX]\][ \t]+)?)?")
_ENDS_WITH_A_MARK = re.compile(r"[.,:;!?…。，、：；？！~][\"'”’)\]」』*_]*\s*\Z")

_SPAN = re.compile(
    r"(?<![\w*])\*(?![*\s])(?P<starred>[^*\n]{0,79}[^*\s])\*(?!\*)"
    r"|[(（](?P<round>[^()（）\n]{0,80})[)）]|\[(?P<square>[^\[\]\n]{0,80})\]"
)
_ENDS_A_SENTENCE = re.compile(r"(?:\A|[.?!…。？！~\n])[\s\"'”’*]*\Z")
_KOREAN_GESTURE = re.compile(r"(?:며|면서|듯이?|채|ㄴ다|는다|린다|인다|진다|한다|쉰다|낸다)\Z")
_ENGLISH_GESTURE = re.compile(r"[a-z]{2,}(?:s|ing|ly)\b")


def without_code(text: str, language: str) -> str:
    """Fenced blocks are said to be code, in one sentence each. One that never closes runs on."""
    return _FENCE.sub(lambda _: f" {locales.text(language, 'speakable.code')} ", text)


def without_links(text: str, language: str) -> str:
    """`[text](url)` is its text, and a bare address the word for one. HTML tags are gone."""
    word = locales.text(language, "speakable.link")

    def named(url: re.Match[str]) -> str:
        after = _AFTER_URL.search(url[0])
        return word + (after[0].replace(">", "") if after else "")

    return _TAG.sub(" ", _URL.sub(named, _IMAGE_OR_LINK.sub(r"\1", text)))


def without_inline_code(text: str) -> str:
    """`` `name` `` is its text if that reads as a word, and nothing otherwise. `\\*` is `*`."""

    def word(code: re.Match[str]) -> str:
        return code[1] if _READS_AS_A_WORD.fullmatch(code[1].strip()) else " "

    return _ESCAPE.sub("", _INLINE_CODE.sub(word, text).replace("`", " "))


def without_layout(text: str) -> str:
    """Headings, quotes, lists and tables as running text, with a comma where a line just ends."""
    lines: list[str] = []
    for raw in map(str.strip, text.splitlines()):
        if _RULE.fullmatch(raw) or _TABLE_RULE.fullmatch(raw):
            continue
        line = raw[_LINE_START.match(raw).end() :].strip()  # type: ignore[union-attr]
        if line.startswith("|"):
            line = ", ".join(cell.strip() for cell in line.strip("|").split("|") if cell.strip())
        if line:
            lines.append(line)
    if not lines:
        return ""
    ended = [line if _ENDS_WITH_A_MARK.search(line) else f"{line}," for line in lines[:-1]]
    return "\n".join([*ended, lines[-1]])


def without_directions(text: str, language: str) -> str:
    """Stage directions are gone; other brackets and asterisks go, and their words stay.

    A direction is what holds a word of the locale's list, or stands between sentences and reads
    like one: a few words in brackets, or a gesture in asterisks (one word is emphasis).
    """
    words = locales.variants(language, "stage.words")

    def said(span: re.Match[str]) -> str:
        inner = span[span.lastgroup or 0].strip()
        between = _ENDS_A_SENTENCE.search(text, max(0, span.start() - 8), span.start()) is not None
        if _is_direction(inner, words, between=between, starred=span.lastgroup == "starred"):
            return " "
        if span.lastgroup == "starred":
            return inner
        if between or not _has_word(inner):
            return f" {inner} "
        # A gloss that is glued to its word has no pause, nor what is glued to it: 서울(Seoul)은.
        if not text[span.start() - 1].isspace():
            return f" {inner}"
        return f", {inner}, " if text[span.end() :].strip() else f", {inner}"

    return re.sub(r"[()（）\[\]]", " ", _SPAN.sub(said, text))


def without_emphasis(text: str) -> str:
    """`**`, `__`, `~~` and the `#` of a tag are gone; 2*3 and C# stay."""
    text = re.sub(r"(?<!\d)\*\*+|\*\*+(?!\d)|~~", "", text)
    text = re.sub(r"(?<!\S)\*(?=\S)|(?<=\S)\*(?!\S)|(?<!\S)\*(?!\S)(?=\s*\Z)", "", text)
    return re.sub(r"(?<!\w)#+(?=\w)", "", text).replace("_", " ")


def _has_word(text: str) -> bool:
    return any(a.isalpha() and b.isalpha() for a, b in pairwise(text))


def _is_direction(inner: str, words: tuple[str, ...], *, between: bool, starred: bool) -> bool:
    plain = inner.strip(" .,…!~*_").lower()
    parts = plain.split()
    if not parts or len(parts) > 6 or any(c.isdigit() for c in plain) or not _has_word(plain):
        return not plain
    if any(_tells(plain, parts, word) for word in (*words, *locales.variants("en", "stage.words"))):
        return True
    if starred:
        gesture = _KOREAN_GESTURE.search(plain) or _ENGLISH_GESTURE.match(plain)
        return between and len(parts) > 1 and gesture is not None
    return between and len(parts) <= 4


def _tells(plain: str, parts: list[str], word: str) -> bool:
    # Korean glues particles and endings to words: a stem may stand anywhere in a short direction.
    return any(part.startswith(word) for part in parts[:2]) if word.isascii() else word in plain
