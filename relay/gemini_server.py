"""Google's Gemini API by its own SDK: the client, and its failures in the relay's words.

Brains and voices share one. What the SDK would do by itself is switched off or replaced: no retries
(each is a request against the free allowance), no time-outs (see `relay.streaming`; Google
refuses a request that announces less than 10 s), the API version and the HTTP client are fixed
(aiohttp, when another package happens to install it, changes time-outs and adds a hidden second
request), and redirects are not followed: the key would go along.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from relay.errors import ErrorKind, ProviderError
from relay.llm.extras import MissingExtraError
from relay.llm.gemini_errors import translate, usable_key
from relay.without import without

try:
    import httpx2

    # What it takes along where another package happens to have brought it, and what is not used
    # here: 6 MB with Microsoft's voices installed, which need aiohttp.
    with without("PIL", "aiohttp", "mcp"):
        from google import genai
        from google.genai import errors, types
        from google.genai.client import AsyncClient
except ImportError as error:
    raise MissingExtraError("Gemini", "gemini", error) from None

API_VERSION: Final = "v1beta"  # the SDK's own default, v1, lacks the `-latest` models

#: What a request may end in. ValueError covers UnknownApiResponseError: an answer, but not one that
#: the SDK understands.
FAILURES: Final = (errors.APIError, httpx2.HTTPError, ValueError, OSError)


class GeminiServer:
    """One project's access to the API."""

    def __init__(self, key: str, base_url: str | None = None) -> None:
        """`base_url` is for another server that speaks the same API.

        Raises ProviderError (AUTH) if there is no usable key.
        """
        self._key = usable_key(key)
        self._http = httpx2.AsyncClient()
        self._genai = genai.Client(
            api_key=self._key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=base_url, api_version=API_VERSION, httpx_async_client=self._http
            ),
        )

    @property
    def client(self) -> AsyncClient:
        """The SDK."""
        return self._genai.aio

    async def models(self) -> AsyncGenerator[types.Model, None]:
        """All models that the key can see. This costs no allowance. Raises ProviderError."""
        failure: ProviderError | None = None
        try:
            async for model in await self.client.models.list():
                yield model
        except FAILURES as error:
            failure = self.translate(error)
        if failure:
            raise failure

    async def model(self, name: str) -> types.Model:
        """One model by its name, aliases included; costs no allowance. Raises ProviderError."""
        try:
            return await self.client.models.get(model=name)
        except FAILURES as error:
            failure = self.translate(error, name)
        raise failure

    def translate(self, error: Exception, model: str = "") -> ProviderError:
        """What one of `FAILURES` means.

        Raise it outside of the handler: the SDK's error, which would hang on it as its context,
        holds the request and with it the key.
        """
        if isinstance(error, errors.APIError):
            # An error object inside a stream may carry anything as its code.
            code = error.code if isinstance(error.code, int) else 500
            return translate(
                code, error.status, error.message, error.details, model=model, key=self._key
            )
        name, service = type(error).__name__, f"Gemini ({model})" if model else "Gemini"
        if isinstance(error, httpx2.HTTPError | OSError):
            return ProviderError(
                ErrorKind.NETWORK, f"{service} was not reached or was cut off: {name}."
            )
        return ProviderError(
            ErrorKind.SERVER, f"{service} answered what the SDK cannot read: {name}."
        )

    async def close(self) -> None:
        """Close the connections. May be called again."""
        await self._genai.aio.aclose()
        await self._http.aclose()
        self._genai.close()
