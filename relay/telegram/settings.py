"""The `telegram` section of the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import MaxLen
from pydantic import AfterValidator, SecretStr

#: As BotFather gives it out: the bot's number, a colon, a secret. It becomes part of an address,
#: so nothing else may be in it.
_TOKEN = re.compile(r"[0-9]{1,16}:[A-Za-z0-9_-]{20,100}")


def _a_token(value: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("must be a token as @BotFather gives it out, such as 123456789:AA…")
    return value


def _a_person(value: int | str) -> int | str:
    """An id as a number, or a username in lower case without its @."""
    text = str(value).strip().removeprefix("@").lower()
    if text.isascii() and text.isdigit():
        return int(text)
    if not re.fullmatch(r"[a-z][a-z0-9_]{3,31}", text):
        raise ValueError("must be Telegram ids (numbers) or usernames")
    return text


def _an_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be an address such as https://api.telegram.org")
    return value.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """Without a token there is no chat, and the package behind it is not loaded."""

    token: Annotated[SecretStr, AfterValidator(_a_token)] | None = None
    #: Who may write, besides those who have shown a code of `doll telegram link`. Ids are safer:
    #: somebody else may take a username that is given up.
    allowed: Annotated[
        tuple[Annotated[int | str, AfterValidator(_a_person)], ...], MaxLen(100)
    ] = ()
    #: The doll, by its name or id, whose character and memory the chat has. Empty: those of a
    #: doll that is only in Telegram, with the relay's character.
    doll: Annotated[str, MaxLen(64)] = ""
    voice: bool = False  #: answers also come as voice messages
    #: Another Bot API server, such as one's own.
    api: Annotated[str, AfterValidator(_an_address)] = "https://api.telegram.org"
