"""A server that speaks OpenAI's API: requests to it, and its failures in the relay's words.

Brains, ears and voices share this. OpenAI's own SDK would be 12 MB more for three requests. There
are no retries and no time-outs here (see `relay.streaming`). Redirects are not followed: what is
said goes to the server of the settings and to no other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import httpx2
import msgspec

from relay.errors import ErrorKind, ModelGoneError, ProviderError

#: What is read of an answer that refuses, and what is told of it.
MAX_REFUSAL_BYTES: Final = 1 << 16
MAX_MESSAGE_CHARS: Final = 300

#: After the last event a server has this long to end its answer, so that the connection can be
#: used again. One that leaves it open is not waited for.
END_S: Final = 0.05

_LAST_EVENT: Final = "[DONE]"

#: As many dolls may talk at once; in the SDK of OpenAI it is the same.
_LIMITS: Final = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)


class RefusedError(Exception):
    """The server answered with a status that is not success."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body.decode("utf-8", "replace")


#: What a request may end in. ValueError: an answer that is not what was asked for.
FAILURES: Final = (
    RefusedError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    ValueError,
    OSError,
)


class OpenAIServer:
    """One server, with what to call it in a log."""

    def __init__(self, base_url: str, model: str, key: str = "") -> None:
        """`base_url` ends where the paths of the API begin, as in `http://localhost:11434/v1`."""
        self._base_url = base_url.rstrip("/")
        self._key = key.strip()
        self.name = f"{model} at {httpx2.URL(self._base_url).host}"
        self._http = httpx2.AsyncClient(
            timeout=None,
            limits=_LIMITS,
            headers={"authorization": f"Bearer {self._key}"} if self._key else {},
        )

    @asynccontextmanager
    async def ask(
        self,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str | list[str]] | None = None,
        file: tuple[str, bytes, str] | None = None,
    ) -> AsyncIterator[httpx2.Response]:
        """Send one request (JSON, or a form with a file of name, content and type); its answer,
        not read yet. Raises one of `FAILURES`."""
        content: dict[str, Any] = {"json": json} if file is None else {"data": form}
        if file is not None:
            content["files"] = {"file": file}
        async with self._http.stream("POST", self._base_url + path, **content) as response:
            if not response.is_success:
                raise RefusedError(response.status_code, response.headers, await _refusal(response))
            yield response

    def translate(self, error: Exception) -> ProviderError:
        """What one of `FAILURES` means.

        Raise it outside of the handler: an error of the HTTP client, which would hang on it as its
        context, holds the request and with it the key.
        """
        if isinstance(error, RefusedError):
            return self._refused(error)
        name = type(error).__name__
        if isinstance(error, httpx2.SSEError | httpx2.DecodingError | httpx2.StreamError):
            pass
        elif isinstance(error, httpx2.HTTPError | httpx2.InvalidURL | OSError):
            return ProviderError(
                ErrorKind.NETWORK, f"{self.name} was not reached or was cut off: {name}."
            )
        return ProviderError(ErrorKind.SERVER, f"{self.name} answered what cannot be read: {name}.")

    def failed(self, error: object) -> ProviderError:
        """What an error object within an answer means, which had begun well."""
        return ProviderError(ErrorKind.SERVER, self._text("failed in its answer", _message(error)))

    def _refused(self, error: RefusedError) -> ProviderError:
        status = error.status
        if 300 <= status < 400:
            there = error.headers.get("location", "")
            text = self._text(f"said {status}: the base_url in the settings is not its own", there)
            return ProviderError(ErrorKind.BAD_REQUEST, text)
        try:
            said = _message(msgspec.json.decode(error.body))
        except ValueError:
            said = error.body
        text = self._text(f"said {status}", said)
        if status == 404:
            return ModelGoneError(text)
        retry_after_s = _seconds(error.headers.get("retry-after"))
        return ProviderError(_kind(status, error.body), text, retry_after_s=retry_after_s)

    def _text(self, what: str, said: str) -> str:
        if self._key:
            said = said.replace(self._key, "[key]")
        return f"{self.name} {what}: {' '.join(said.split())}"[:MAX_MESSAGE_CHARS]

    async def close(self) -> None:
        """Close the connections. May be called again."""
        await self._http.aclose()


async def events(response: httpx2.Response) -> AsyncGenerator[str, None]:
    """The data of each server-sent event of an answer. Raises one of `FAILURES`.

    An event may have 1 MB (httpx2's own limit).
    """
    source = _source(response)
    async with aclosing(source):
        async for event in source:
            if event.data.startswith(_LAST_EVENT):
                break
            yield event.data
        with contextlib.suppress(TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(END_S):
                async for _ in source:
                    pass


async def _source(response: httpx2.Response) -> AsyncGenerator[httpx2.ServerSentEvent, None]:
    async for event in httpx2.EventSource(response):
        yield event


async def _refusal(response: httpx2.Response) -> bytes:
    """What there is of it: the status says enough, should the rest be cut off."""
    body = bytearray()
    with contextlib.suppress(httpx2.HTTPError):
        async for data in response.aiter_bytes():
            body += data
            if len(body) > MAX_REFUSAL_BYTES:
                break
    return bytes(body[:MAX_REFUSAL_BYTES])


def _message(said: object) -> str:
    """The words of an error. The rest of it is left out: FastAPI's `detail` repeats all that was
    sent, and so all that was said."""
    match said:
        case {"error": error} if error:
            return _message(error)
        case {"message": str(text)} | {"detail": str(text)} | {"msg": str(text)} | str(text):
            return text
        case {"detail": [*problems]}:
            return "; ".join(filter(None, map(_message, problems[:3])))
    return ""


def _kind(status: int, body: str) -> ErrorKind:
    if status == 429:
        # OpenAI's own word for an empty account, in `code` or in `type`.
        return ErrorKind.QUOTA if "insufficient_quota" in body else ErrorKind.RATE
    if status in (401, 403):
        return ErrorKind.AUTH
    if status == 402:  # OpenRouter: no credit left
        return ErrorKind.QUOTA
    if status == 408:
        return ErrorKind.NETWORK
    if status == 400 and "content_filter" in body:  # Azure
        return ErrorKind.BLOCKED
    return ErrorKind.SERVER if status >= 500 else ErrorKind.BAD_REQUEST


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in its form of seconds; the form of a date is not used by these servers."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e7 else None
