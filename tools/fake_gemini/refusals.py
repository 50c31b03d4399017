"""The 429 of Gemini in every form that was seen of it.

Sources: dozens of issues and logs of 2025 and 2026; each variant says what is odd about it. There
never was a Retry-After header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tools.fake_gemini.http import Reply
from tools.fake_gemini.replies import DOMAIN, TYPE, error, error_body, error_reply

MINUTE_ID = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
DAY_ID = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TOKENS_ID = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
DAY_TOKENS_ID = "GenerateContentInputTokensPerModelPerDay-FreeTier"

_SERVICE = "generativelanguage.googleapis.com"
_REQUESTS = f"{_SERVICE}/generate_content_free_tier_requests"
_TOKENS = f"{_SERVICE}/generate_content_free_tier_input_token_count"
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)(?:\.\d+)?s)?")
_DOCS = "https://ai.google.dev/gemini-api/docs/rate-limits"


@dataclass(frozen=True, slots=True)
class Exceeded:
    """An allowance that is used up. `limit` None: there is none at all, so it is not told."""

    quota_id: str
    limit: int | None

    @property
    def metric(self) -> str:
        """What is counted."""
        return _TOKENS if "InputTokens" in self.quota_id else _REQUESTS


def too_many_requests(quota_id: str, limit: int | None, retry: str, model: str = "fake") -> Reply:
    """A 429 about one allowance; see `refusal`."""
    return error_reply(429, refusal(quota_id, limit, retry, model))


def refusal(quota_id: str, limit: int | None, retry: str, model: str = "fake") -> dict[str, Any]:
    """The body of a 429; `retry` as it stands in its text (`47.6s`, `8h57m50.9s`). A limit of None
    leaves `quotaValue` out, as the service does for a model with no free allowance."""
    return exceeded((Exceeded(quota_id, limit),), retry, model)


def exceeded(over: Sequence[Exceeded], retry: str, model: str) -> dict[str, Any]:
    """The body of a 429 about one or more allowances."""
    lines = "".join(
        f"\n* Quota exceeded for metric: {one.metric}, limit: {one.limit or 0}, model: {model}"
        for one in over
    )
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more "
        f"information on this error, head to: {_DOCS}. To monitor your current usage, head to: "
        f"https://ai.dev/rate-limit. {lines}\nPlease retry in {retry}."
    )
    links = [{"description": "Learn more about Gemini API quotas", "url": _DOCS}]
    details = [
        {"@type": f"{TYPE}Help", "links": links},
        {"@type": f"{TYPE}QuotaFailure", "violations": [_violation(one, model) for one in over]},
        {"@type": f"{TYPE}RetryInfo", "retryDelay": _whole_seconds(retry)},
    ]
    return error_body(429, "RESOURCE_EXHAUSTED", message, details)


def in_words(seconds: float) -> str:
    """How the text of a 429 writes a time: `102ms`, `47.618338084s`, `8h57m50.97s`."""
    if seconds < 0.5:
        return f"{max(seconds, 0.001) * 1000:.0f}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def variants(model: str) -> dict[str, Reply]:
    """One example of each form, by a short name."""
    minute, day = Exceeded(MINUTE_ID, 15), Exceeded(DAY_ID, 500)
    tokens, none = Exceeded(TOKENS_ID, 250_000), Exceeded(DAY_ID, None)

    def about(*over: Exceeded, retry: str, told: str = model) -> Reply:
        return error_reply(429, exceeded(over, retry, told))

    bare = error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
    only_delay = [{"@type": f"{TYPE}RetryInfo", "retryDelay": "0.847655010s"}]
    return {
        "minute": about(minute, retry="47.618338084s"),
        "tokens": about(tokens, retry="23.018s"),
        "soon": about(minute, retry="102ms"),
        "day": about(day, retry="8h57m50.97s"),
        "day-tokens": about(Exceeded(DAY_TOKENS_ID, 1_000_000), retry="10h17m5.72s"),
        "day-lie": about(day, retry="43.8s"),  # the hint is for the minute
        "several": about(tokens, minute, day, retry="44.1s"),
        "zero": about(none, Exceeded(MINUTE_ID, None), Exceeded(TOKENS_ID, None), retry="10.69s"),
        # A quota is that of a family of models, which need not have the name that was asked for.
        "family": about(minute, retry="59.1s", told=model.removesuffix("-preview")),
        "bare": bare,
        "delay-only": error(429, "RESOURCE_EXHAUSTED", "Too many requests.", only_delay),
        # Wrapped in an array: streams without `alt=sse`, and the OpenAI-compatible endpoint.
        "array": error_reply(429, [exceeded((minute,), "31.2s", model)]),
        "old": error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric.", [_old()]),
    }


def _violation(one: Exceeded, model: str) -> dict[str, Any]:
    violation: dict[str, Any] = {
        "quotaMetric": one.metric,
        "quotaId": one.quota_id,
        "quotaDimensions": {"location": "global", "model": model},
    }
    if one.limit is not None:
        violation["quotaValue"] = str(one.limit)
    return violation


def _whole_seconds(retry: str) -> str:
    """The field is a protobuf duration, rounded down: `47.6s` is `47s`, `8h57m50.9s` `32270s`."""
    match = _TIME.match(retry)
    hours, minutes, seconds = (int(group or 0) for group in match.groups()) if match else (0, 0, 0)
    return f"{hours * 3600 + minutes * 60 + seconds}s"


def _old() -> dict[str, Any]:
    """Of 2024: a region without a free tier."""
    return {
        "@type": f"{TYPE}ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": DOMAIN,
        "metadata": {
            "service": _SERVICE,
            "quota_metric": f"{_SERVICE}/generate_content_requests",
            "quota_limit": "GenerateContentRequestsPerMinutePerProjectPerRegion",
            "quota_limit_value": "0",
        },
    }
