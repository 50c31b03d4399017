"""One voice of the owner's own, as it stands in its `voice.toml`."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

#: How a setting or a persona names one: `own:jinju`.
PREFIX: Final = "own:"

MAX_NAME_CHARS: Final = 32
MAX_TEXT_CHARS: Final = 1_000

_NAME = re.compile(r"\w[\w-]*")
_MAX_TOML_BYTES = 16_384


class VoiceError(Exception):
    """A voice cannot be used, kept or removed; the text is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class OwnVoice:
    """Whose voice it is, and what is said in its sample."""

    name: str
    speaker: str  #: who gave it, as they wrote it
    consent: str  #: the sentence with which they agreed
    agreed_how: str  #: `typed` by themselves, or `told` by whoever added the voice
    agreed_at: str  #: ISO 8601, with the time zone
    text: str  #: what is said in the sample; empty if nobody wrote it down
    language: str  #: ISO 639-1, of the sample
    seconds: float  #: how long the sample is
    rate_hz: int  #: its samples per second
    digest: str  #: SHA-256 of the sample's file

    @property
    def key(self) -> str:
        """What engine servers know it by: tells the sample, and nobody's name.

        The same sample with another text is another voice to an engine.
        """
        known = f"{self.digest}\n{self.language}\n{self.text}"
        return "doll-" + hashlib.sha256(known.encode()).hexdigest()[:24]

    def toml(self) -> str:
        """The file that `parse` reads. A JSON string is a TOML string, DEL apart."""
        return "".join(
            f"{key} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f")
            for key, value in asdict(self).items()
            if key != "name"  # the folder has it
        )


def parse(name: str, data: bytes) -> OwnVoice:
    """Read a `voice.toml`. Raises VoiceError."""
    try:
        if len(data) > _MAX_TOML_BYTES:
            raise ValueError("it is too long")
        table: dict[str, Any] = {"name": name, **tomllib.loads(data.decode())}
        kinds = {"seconds": float, "rate_hz": int}
        for field in fields(OwnVoice):
            value = table.get(field.name)
            if not isinstance(value, kinds.get(field.name, str)):
                raise ValueError(f"`{field.name}` is missing or of the wrong kind")
        return OwnVoice(**table)
    except (ValueError, TypeError) as error:
        raise VoiceError(
            f"voice.toml of the voice {name!r} cannot be used ({error}); "
            f"add the voice again: doll voice add {name} … --replace"
        ) from None


def checked_name(name: str) -> str:
    """The name in the form in which it is kept (NFC: a Mac types 진주 in pieces).

    Raises VoiceError for what could not be a folder everywhere.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) > MAX_NAME_CHARS or not _NAME.fullmatch(name):
        raise VoiceError(
            f"{name[:40]!r} cannot name a voice: use up to {MAX_NAME_CHARS} letters, digits, - or _"
        )
    return name


def own_name(voice: str) -> str | None:
    """The name in `own:NAME`; None if the setting means a voice of a provider."""
    return voice.removeprefix(PREFIX) if voice.startswith(PREFIX) else None
