"""A server that speaks OpenAI's API: the client for it, and its failures in the relay's words.

Brains, ears and voices share this. What the SDK would do by itself is switched off: no retries, no
time-outs (see `relay.streaming`), and no key from the environment, which may be that of another
service.
"""

from __future__ import annotations

from typing import Final

from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.extras import MissingExtraError

try:
    import httpx2
    import openai
except ImportError as error:
    raise MissingExtraError("OpenAI-compatible", "openai", error) from None

#: What a request may end in. ValueError: an answer that the SDK cannot read.
FAILURES: Final = (openai.OpenAIError, httpx2.HTTPError, ValueError, OSError)

MAX_MESSAGE_CHARS = 300
_NO_KEY = "none"  # given on purpose: with nothing, the SDK would send OPENAI_API_KEY to any server


class OpenAIServer:
    """One server, with what to call it in a log."""

    def __init__(self, base_url: str, model: str, key: str = "") -> None:
        """`base_url` ends where the paths of the API begin, as in `http://localhost:11434/v1`."""
        self._key = key.strip()
        self.name = f"{model} at {httpx2.URL(base_url).host}"
        self.client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY, base_url=base_url, max_retries=0, timeout=None
        )

    def translate(self, error: Exception) -> ProviderError:
        """What one of `FAILURES` means.

        Raise it outside of the handler: the SDK's error, which would hang on it as its context,
        holds the request and with it the key.
        """
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError | OSError):
            name = type(error.__cause__ or error).__name__
            return ProviderError(
                ErrorKind.NETWORK, f"{self.name} was not reached or was cut off: {name}."
            )
        if isinstance(error, openai.APIStatusError):
            code, body = error.status_code, error.body
            text = self._text(f"{self.name} said {code}", error.message)
            if code == 404:
                return ModelGoneError(text)
            retry_after_s = _seconds(error.response.headers.get("retry-after"))
            return ProviderError(_kind(code, body), text, retry_after_s=retry_after_s)
        if isinstance(error, openai.APIError):
            text = self._text(f"{self.name} failed in its answer", error.message)
            return ProviderError(ErrorKind.SERVER, text)
        name = type(error).__name__
        return ProviderError(
            ErrorKind.SERVER, f"{self.name} answered what the SDK cannot read: {name}."
        )

    def _text(self, what: str, said: str) -> str:
        if self._key:
            said = said.replace(self._key, "[key]")
        return f"{what}: {' '.join(said.split())}"[:MAX_MESSAGE_CHARS]

    async def close(self) -> None:
        """Close the connections. May be called again."""
        await self.client.close()


def _kind(code: int, body: object) -> ErrorKind:
    if code == 429:
        told = str(body)  # OpenAI's own word for an empty account, in `code` or in `type`
        return ErrorKind.QUOTA if "insufficient_quota" in told else ErrorKind.RATE
    if code in (401, 403):
        return ErrorKind.AUTH
    if code == 402:  # OpenRouter: no credit left
        return ErrorKind.QUOTA
    if code == 408:
        return ErrorKind.NETWORK
    if code == 400 and "content_filter" in str(body):  # Azure
        return ErrorKind.BLOCKED
    return ErrorKind.SERVER if code >= 500 else ErrorKind.BAD_REQUEST


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in its form of seconds; the form of a date is not used by these servers."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e7 else None
