"""What a device says about itself before the first message: the headers of the upgrade."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

#: Printable ASCII without spaces: a MAC, a UUID, a name.
_IDENTIFIER = re.compile(r"[!-~]{1,64}")

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


def identifier(value: str | None) -> str | None:
    """A Device-Id or a Client-Id if it may be one, else None."""
    return value if value and _IDENTIFIER.fullmatch(value) else None


def bearer_token(headers: Headers) -> str:
    """What `Authorization: Bearer …` holds; empty if there is no such header."""
    match = _BEARER.fullmatch(headers.get("authorization", ""))
    return match[1] if match else ""


def language(headers: Headers) -> str:
    """The first language of `Accept-Language` (`ko-KR,en;q=0.8`), as ISO 639-1; empty if none."""
    first = headers.get("accept-language", "")[:64].split(",")[0].split(";")[0]
    code = re.split(r"[-_]", first.strip().lower())[0]
    return code if re.fullmatch(r"[a-z]{2}", code) else ""
