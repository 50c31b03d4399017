"""Every way in which Gemini fails, told in the relay's own vocabulary of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from relay.errors import ErrorKind, ModelGoneError, ProviderError

#: Why an answer ends, or is not begun, where its content is refused.
BLOCKED = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "RECITATION", "LANGUAGE", "IMAGE_SAFETY"}
)

MAX_MESSAGE_CHARS = 300
_KEY = re.compile(r"AIza[0-9A-Za-z_-]{8,}")  # "Consumer 'api_key:AIza…' has been suspended"
_HONEST_DAY_HINT_S = 600.0


class Limit(StrEnum):
    """Which allowance a 429 is about."""

    MINUTE = "minute"  #: requests or tokens a minute
    DAY = "day"  #: requests or tokens a day
    ZERO = "zero"  #: the key has no allowance at all for this model; waiting is useless
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a 429 says."""

    limit: Limit
    value: int | None  #: the allowance, where it is told
    retry_after_s: float | None
    tokens: bool = False  #: `value` is tokens, not requests


class OverLimitError(ProviderError):
    """A 429: `kind` is RATE or QUOTA, and `refusal` is what the quota learns from it."""

    def __init__(self, kind: ErrorKind, message: str, refusal: Refusal) -> None:
        super().__init__(kind, message, retry_after_s=refusal.retry_after_s)
        self.refusal = refusal


def parse_refusal(body: object) -> Refusal:
    """Read the body of a 429, whichever of its many shapes it has; never raises.

    The details may be missing, wrapped in an array, or contradict the text. A daily limit that is
    said to be over in seconds is not: such a hint is left out.
    """
    error = _error(body)
    message = _text(error.get("message"))
    violations: list[tuple[str, str]] = []
    hints = [_duration(match[1]) for match in _HINT.finditer(message)]
    for detail in _mappings(error.get("details")):
        kind = _text(detail.get("@type"))
        if kind.endswith("RetryInfo"):
            hints.append(_duration(_text(detail.get("retryDelay"))))
        elif kind.endswith("QuotaFailure"):
            for violation in _mappings(detail.get("violations")):
                quota_id, value = violation.get("quotaId"), violation.get("quotaValue")
                violations.append((_text(quota_id), _text(value)))
    values = [*(value for _, value in violations), *_LIMIT.findall(message)]
    told = [int(value) for value in values if _INTEGER.fullmatch(value)]
    limit = _limit([quota_id for quota_id, _ in violations], told, message)
    # The text has fractions and hours where the field is rounded down to whole seconds.
    hint = max((hint for hint in hints if hint is not None), default=None)
    if limit is Limit.ZERO or (
        limit is Limit.DAY and hint is not None and hint < _HONEST_DAY_HINT_S
    ):
        hint = None
    # Of several violations, in any order, the one that decided: 15 a minute is not 15 a day.
    decided = [each for each in violations if _PERIODS.get(limit, "") in each[0]] or violations
    value = decided[0][1] if len(violations) > 1 else ""
    return Refusal(
        limit,
        int(value) if _INTEGER.fullmatch(value) else (told[0] if told else None),
        hint,
        tokens="token" in (decided[0][0] if decided else message).lower(),
    )


def usable_key(key: str) -> str:
    """The key without what pasting leaves around it. Raises ProviderError (AUTH)."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ProviderError(
            ErrorKind.AUTH,
            "There is no usable Gemini key: set GEMINI_API_KEY to the one that "
            "https://aistudio.google.com/apikey shows.",
        )
    return key


def translate(
    code: int, status: str | None, message: str | None, body: object, *, model: str, key: str
) -> ProviderError:
    """The failure of one HTTP answer (or of one error object inside a stream).

    `body` is the decoded JSON, of any shape. `key` is what must not be repeated to the log.
    """
    said = _one_line(message or _text(_error(body).get("message")), key)
    text = f"Gemini ({model}) said {code} {status or ''}".rstrip() + (f": {said}" if said else "")
    if code == 429:
        refusal = parse_refusal(body)
        over = refusal.limit in (Limit.DAY, Limit.ZERO)
        kind = ErrorKind.QUOTA if over else ErrorKind.RATE
        return OverLimitError(kind, text, refusal)
    if code in (401, 403) or (code == 400 and _is_about_access(said, body)):
        return ProviderError(ErrorKind.AUTH, f"{text} (check the key and its project).")
    if code == 404:
        return ModelGoneError(f"{text} (choose another model).")
    if code == 408:
        return ProviderError(ErrorKind.NETWORK, text)
    return ProviderError(ErrorKind.SERVER if code >= 500 else ErrorKind.BAD_REQUEST, text)


def refuses_system_instruction(code: int, message: str | None) -> bool:
    """Whether this is a model (Gemma, the first Gemini, TTS) that takes no system instruction."""
    return code == 400 and "developer instruction is not enabled" in (message or "").lower()


_HINT = re.compile(r"retry in ([0-9hms.]{1,40})", re.IGNORECASE)
_LIMIT = re.compile(r"limit: (\d{1,12})\b")
_PERIODS = {Limit.MINUTE: "PerMinute", Limit.DAY: "PerDay"}
_INTEGER = re.compile(r"[0-9]{1,12}")
_DURATION = re.compile(
    r"(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m(?!s))?"
    r"(?:(?P<s>\d{1,9}(?:\.\d{1,12})?)s|(?P<ms>\d{1,9}(?:\.\d{1,12})?)ms)?",
    re.ASCII,
)


def _duration(text: str) -> float | None:
    """`23s`, `0.84s`, `102.5ms`, `10h17m5.72s` -> seconds."""
    match = _DURATION.fullmatch(text.strip().rstrip("."))
    if not match or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _limit(quota_ids: list[str], told: list[int], message: str) -> Limit:
    # An allowance of none leaves `quotaValue` out.
    if 0 in told or (quota_ids and not told):
        return Limit.ZERO
    if any("PerDay" in quota_id for quota_id in quota_ids):
        return Limit.DAY
    if any("PerMinute" in quota_id for quota_id in quota_ids) or "free_tier" in message:
        return Limit.MINUTE
    return Limit.UNKNOWN


def _is_about_access(message: str, body: object) -> bool:
    reasons = {_text(detail.get("reason")) for detail in _mappings(_error(body).get("details"))}
    return (
        "API_KEY_INVALID" in reasons
        or "API key" in message
        or "location is not supported" in message
    )


def _error(body: object) -> Mapping[str, object]:
    if isinstance(body, list):  # a stream without SSE and the OpenAI-compatible endpoint wrap it
        body = body[0] if body else None
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, Mapping) else {}


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    return (
        item for item in (value if isinstance(value, list) else ()) if isinstance(item, Mapping)
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _one_line(message: str, key: str) -> str:
    if key:
        message = message.replace(key, "[key]")
    message = _KEY.sub("[key]", " ".join(message.split()))
    if len(message) <= MAX_MESSAGE_CHARS:
        return message
    return message[: MAX_MESSAGE_CHARS - 1] + "…"
