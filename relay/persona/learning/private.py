"""Finds what is nobody's business in a message: numbers, addresses, links, names of others.

What is found is meant to be looked over by the owner: rules like these miss things, and take some
that are harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was found."""

    EMAIL = "email"
    URL = "url"
    RESIDENT = "resident"  #: Korean resident registration and foreigner numbers, US SSN
    CARD = "card"
    PHONE = "phone"
    ACCOUNT = "account"
    ADDRESS = "address"
    CODE = "code"  #: of a door, a login, a parcel
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of a message that looks private."""

    kind: Kind
    text: str


_DIGIT = r"(?<![\d-])"
_END = r"(?![\d-])"
_SEP = r"[ .\-–]?"

#: In this order: what one takes the next does not see.
_RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.EMAIL, re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")),
    (
        Kind.URL,
        re.compile(
            r"(?:https?://|www\.)[^\s<>\"]{1,2000}"
            r"|(?<![\w@.])[a-z0-9-]{2,63}(?:\.[a-z0-9-]{2,63}){0,3}\.(?:com|net|org|kr|io|me|ly|gg"
            r"|dev|app|jp|de|uk)(?:/[^\s<>\"]{0,2000})?(?![\w.])",
            re.IGNORECASE,
        ),
    ),
    # Six digits of a birthday, and a seventh that tells century and sex: 1 to 8.
    (
        Kind.RESIDENT,
        re.compile(
            _DIGIT + r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) ?[-–]? ?[1-8](?:\d{6}|\*{6})"
            rf"{_END}|{_DIGIT}\d{{3}}-\d{{2}}-\d{{4}}{_END}"
        ),
    ),
    # An IBAN begins with its country.
    (
        Kind.ACCOUNT,
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ),
    (
        Kind.CARD,
        re.compile(
            rf"{_DIGIT}(?:\d{{4}}{_SEP}){{3}}\d{{4}}{_END}"
            rf"|{_DIGIT}3[47]\d{{2}}{_SEP}\d{{6}}{_SEP}\d{{5}}{_END}"
        ),
    ),
    (
        Kind.PHONE,
        re.compile(
            rf"(?<![\d+-])(?:\+82{_SEP}\(?0?\)?|0)(?:1[016789]|2|[3-6][1-5]|70|50\d?)\)?{_SEP}"
            rf"\d{{3,4}}{_SEP}\d{{4}}{_END}"
            rf"|{_DIGIT}1[568]\d{{2}}{_SEP}\d{{4}}{_END}"
            rf"|(?<![\w+])\+\d{{1,3}}(?:{_SEP}\(?\d{{1,4}}\)?){{2,5}}{_END}"
            rf"|(?<![\d-])\(?\d{{3}}\)?[ .-]\d{{3}}[ .-]\d{{4}}{_END}"
            rf"|{_DIGIT}0\d{{2,4}}[ /-]\d{{5,8}}{_END}"
        ),
    ),
    # Korean banks write 10 to 14 digits in two to four groups.
    (
        Kind.ACCOUNT,
        re.compile(
            rf"{_DIGIT}(?=(?:\d-?){{10,16}}{_END})\d{{2,6}}(?:-\d{{1,8}}){{1,3}}{_END}"
            rf"|{_DIGIT}\d{{10,20}}{_END}"
        ),
    ),
    (
        Kind.ADDRESS,
        re.compile(
            # 서울시 마포구 …, 와우산로 35길 12, 역삼동 123-45, 103동 1204호
            r"[가-힣]{1,8}(?:특별시|광역시|특별자치시|특별자치도|도|시) ?[가-힣]{1,6}(?:시|군|구)"
            r"(?: ?[가-힣0-9]{1,10}(?:구|읍|면|동|리|로|길|가)(?![가-힣]))*"
            r"(?: ?\d{1,4}(?:-\d{1,4})?(?:번지)?)?"
            r"|[가-힣]{2,8}(?:대로|로|길) ?(?:\d{1,4}(?:번)?길 ?)?\d{1,4}(?:-\d{1,4})?"
            r"(?![\d시분년월일개원명번살도층:])"
            r"|[가-힣]{1,6}(?:동|리) ?\d{1,4}-\d{1,4}(?:번지)?"
            r"|(?<!\d)\d{1,4}동 ?\d{1,4}호|[가-힣]{2,12}(?:아파트|빌라|오피스텔) ?\d{1,4}동?"
            r"|\b\d{1,5} (?:[NSEW]\.? )?(?:[A-Z][a-z]{1,20} ){1,3}"
            r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl"
            r"|Terrace|Square)\b\.?(?:,? (?:Apt|Unit|Suite|#)\.? ?\w{1,6})?"
            r"|\bP\.? ?O\.? Box \d{1,6}|\b[A-Z]{2} \d{5}(?:-\d{4})?\b"
            r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
        ),
    ),
    (
        Kind.CODE,
        re.compile(
            r"(?:비번|비밀번호|현관|도어락|인증 ?번호|운송장|송장|계좌|여권|면허|학번|사번|password"
            r"|passcode|pin|otp|code|account|passport)(?:은|는|이|가|번호)?(?: is)? ?[:#]? ?[#*]?"
            r"(?=[A-Za-z0-9*#-]{4})[A-Za-z0-9*#-]{0,16}\d[A-Za-z0-9*#-]{0,16}",
            re.IGNORECASE,
        ),
    ),
)

#: None of the rules above finds anything where this does not: most messages are soon done with.
_SUSPICIOUS = re.compile(r"[\d@]|[A-Za-z]\.[A-Za-z]|www|(?:도|시) ?[가-힣]{1,6}[시군구]")

#: A family name, a given name, and what follows a name: 김민수 씨, 박지영 선생님, 이과장님.
_FAMILY = (
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도"
    "소석선설마길연위표명기반왕금옥육인맹제모"
)
_TITLE = (
    r"씨|선생님?|쌤|교수님?|선배님?|과장님?|대리님?|부장님?|차장님?|사장님?|팀장님?|실장님?|원장님?|대표님?|이사님?"
    r"|박사님?|기사님?|목사님?|코치님?"
)
_TITLED = re.compile(
    rf"(?<![가-힣])(?!이씨(?![가-힣]))[{_FAMILY}][가-힣]{{0,2}} ?(?:{_TITLE})(?![가-힣]{{4,}})"
    r"|\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? [A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20})?"
)


class Privacy:
    """Knows whose names are not to be kept: those of the others in a chat, and what else the owner
    names."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        parts = sorted({part for name in names for part in name_parts(name)}, key=len, reverse=True)
        self._names = re.compile("|".join(map(_as_word, parts)), re.IGNORECASE) if parts else None

    def findings(self, text: str) -> Iterator[Finding]:
        """All that looks private in a message."""
        for kind, rule in _RULES if _SUSPICIOUS.search(text) else ():
            for found in rule.finditer(text):
                yield Finding(kind, found[0].strip())
            text = rule.sub(" ", text)
        for names in (self._names, _TITLED):
            if names is not None:
                yield from (Finding(Kind.NAME, found[0].strip()) for found in names.finditer(text))
                text = names.sub(" ", text)


def name_parts(name: str) -> Iterator[str]:
    """How somebody is called: by the whole name, and by parts of it. 김민수 is 민수, too."""
    words = [word for word in re.split(r"[\s()/,_·.]+", name) if len(word) > 1]
    if name.strip():
        yield name.strip()
    for word in words:
        if not word.isdecimal():
            yield word
        if len(word) == 3 and word[0] in _FAMILY and re.fullmatch("[가-힣]{3}", word):
            yield word[1:]


def _as_word(name: str) -> str:
    """A name in a text: Korean particles may follow it, letters of its own script not precede."""
    escaped = re.escape(name)
    if re.search("[가-힣]", name):
        return rf"(?<![가-힣]){escaped}"
    return rf"\b{escaped}\b" if name[:1].isalnum() and name[-1:].isalnum() else escaped
