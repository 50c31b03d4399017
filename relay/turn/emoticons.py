"""Emoji, kaomoji and laughs: what a face or a laugh is for the eye, and nothing for the voice."""

from __future__ import annotations

import re

#: Joiners, variation selectors, keycaps, tags, controls, private use, halves of surrogate pairs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20e3\ufe00-\ufe0f\ufeff\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e007f]"
)

#: The blocks of Unicode that hold pictures: arrows, technical signs, boxes and shapes, dingbats,
#: emoji. Whole blocks, so that next year's emoji are in; degree, math and currency signs are not.
_PICTURES = re.compile(
    "[\u00a9\u00ae\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u2500-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)

#: What reaches out of a kaomoji, or frames it: ¯\_(ツ)_/¯  (╯°□°)╯︵ ┻━┻  ヽ(・∀・)ノ
_ARM = r"[¯\\/＼／_ヽノ٩۶ᕕᕗᕙづつっヾ╯╮┻━┬︵☆✧♪]"
_EYE = r"[TㅠㅜQ@xXoO0ㅇuU=;'\-]"
_BRACKETED = re.compile(
    rf"{_ARM}{{0,4}}[(（](?=[^()（）\n]{{0,24}}[)）])"
    r"(?![^()（）]*[A-Za-z가-힣]{3})"  # words are no face
    r"(?=[^()（）]*(?:[￣´｀`ωツシ◕ᴗ‿≧≦∇▽□□ಠᵔ˘•ㅅㅁㅂ♡・∀°¬益]"
    rf"|\^.{{0,3}}\^|>[_.\-\s]?<|{_EYE}[_.ㅅㅁㅂoO]{_EYE}|[ㅠㅜ;]{{2}}))"
    rf"[^()（）\n]*[)）](?:{_ARM}|\s[┻━┬]){{0,6}}"
)

#: Kaomoji without brackets, and the western kind. They stand alone: no word touches them on the
#: left (12:30, x:D), nor, for those made of letters, on the right.
_BARE = re.compile(
    r"\^[_.oㅇ\-]?\^+;*|\^{2,}|>[_.]?<|;{2,}|=_=|-_+-;*|ㅡ[_.]?ㅡ+;*|ㅇ[_.]ㅇ|[ㅠㅜ][_.]+[ㅠㅜ]"
    r"|(?<![A-Za-z])(?:[TQ]_+[TQ]|T\.T|o_O|O_o|@_@|[uU]_[uU]|[xX]D+|[oO]_[oO])(?![A-Za-z])"
    r"|(?<![\w)])[:;=][-^']?(?:[)(\]\[|]+|[DPpOo3*](?!\w))"
    r"|(?<![\w)])[:;=][-^']?[/\\](?!\S)|(?<![\w<\s])<3(?!\d)|(?<![\d\s])\s<3(?!\d)|^<3(?!\d)"
)

#: Korean letters that laugh, cry or tremble. A single one that stands alone stays: it may be meant
#: as the letter it is.
_LAUGH = re.compile("[ㅋㅎㅠㅜㄷ]{2,}|(?<=[가-힣])[ㅋㅎㅠㅜ]+")


def without_faces(text: str) -> str:
    """`text` without kaomoji; a space where one was. For text that still has its markup."""
    return _BARE.sub(" ", _BRACKETED.sub(" ", text))


def without_pictures(text: str) -> str:
    """`text` without emoji, symbols that are pictures, laughs and invisible characters."""
    text = text.replace("‼", "!!").replace("⁉", "!?")
    return _LAUGH.sub("", _PICTURES.sub(" ", _INVISIBLE.sub("", text)))
