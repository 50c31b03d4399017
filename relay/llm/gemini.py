"""Gemini, by Google's own SDK.

What the SDK would do by itself is switched off or replaced: no retries (each is a request against
the free allowance), its own deadlines (see `streaming`), the API version and the HTTP client are
fixed (aiohttp, when another package happens to install it, changes time-outs and adds a hidden
second request), and the history is the relay's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Literal

import structlog

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.extras import MissingExtraError
from relay.llm.gemini_errors import refuses_system_instruction, translate
from relay.llm.streaming import Deadlines, bounded

try:
    import httpx2
    from google import genai
    from google.genai import errors, types
except ImportError as error:
    raise MissingExtraError("Gemini", "gemini", error) from None

DEFAULT_MODEL = "gemini-3.5-flash-lite"
API_VERSION = "v1beta"  # the SDK's own default, v1, lacks the `-latest` models

Thinking = Literal["auto", "model", "off", "minimal", "low"]
"""How much a model thinks before its first word: `model` leaves it as it is, `off` is for 2.5,
`minimal` and `low` for 3 and later, `auto` takes the least that the model's family allows."""

_BLOCKED = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "RECITATION", "LANGUAGE", "IMAGE_SAFETY"}
)
_SDK_FAILURES = (errors.APIError, httpx2.HTTPError, ValueError, OSError)
"""ValueError covers UnknownApiResponseError: an answer, but not one that the SDK understands."""

_log = structlog.get_logger(__name__)


class GeminiModel:
    """A LanguageModel on one Gemini model. Shared by all dolls; holds no conversation."""

    def __init__(
        self,
        key: str,
        model: str = DEFAULT_MODEL,
        *,
        base_url: str | None = None,
        deadlines: Deadlines | None = None,
        thinking: Thinking = "auto",
        system_instruction: bool = True,
        max_output_tokens: int = 512,
    ) -> None:
        """`system_instruction=False` is for a model that is known to refuse one (Gemma); for others
        the refusal is noticed and worked around.

        Raises ProviderError (AUTH) if there is no usable key.
        """
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable():
            raise ProviderError(
                ErrorKind.AUTH,
                "There is no usable Gemini key: set GEMINI_API_KEY to the one that "
                "https://aistudio.google.com/apikey shows.",
            )
        self._key = key
        self._model = model
        self._deadlines = deadlines or Deadlines()
        self._thinking = _thinking(model, thinking)
        self._takes_system_instruction = system_instruction
        self._max_output_tokens = max_output_tokens
        self._http = httpx2.AsyncClient()  # no redirects: the key would go along
        self._client = genai.Client(
            api_key=key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=base_url, api_version=API_VERSION, httpx_async_client=self._http
            ),
        )

    def reply(self, request: Request) -> AsyncGenerator[str, None]:
        """See LanguageModel.reply."""
        return bounded(self._pieces(request), self._deadlines, service=f"Gemini ({self._model})")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aio.aclose()
        await self._http.aclose()
        self._client.close()

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        failure: ProviderError | None = None
        try:
            silent, finish = True, "nothing"
            async for chunk in self._chunks(request):
                text, finish = _read(chunk, finish)
                if text:
                    silent = False
                    yield text
                if finish in _BLOCKED:
                    failure = ProviderError(
                        ErrorKind.BLOCKED, f"Gemini ({self._model}) refused the content: {finish}."
                    )
            if silent and failure is None:
                failure = ProviderError(
                    ErrorKind.SERVER, f"Gemini ({self._model}) answered with no text: {finish}."
                )
        except _SDK_FAILURES as error:
            failure = self._translate(error)
        # Raised here and not above, where the SDK's error, which holds the request and with it the
        # key, would travel along as the context.
        if failure:
            raise failure

    async def _chunks(
        self, request: Request
    ) -> AsyncGenerator[types.GenerateContentResponse, None]:
        """The answer, asked for once more in the same turn if the model only dislikes where the
        persona stands."""
        if self._takes_system_instruction:
            try:
                async for chunk in await self._send(request, system_instruction=True):
                    yield chunk
                return
            except errors.ClientError as error:
                if not refuses_system_instruction(error.code, error.message):
                    raise
            self._takes_system_instruction = False
            _log.info("model takes no system instruction; the persona goes first", llm=self._model)
        async for chunk in await self._send(request, system_instruction=False):
            yield chunk

    async def _send(
        self, request: Request, *, system_instruction: bool
    ) -> AsyncIterator[types.GenerateContentResponse]:
        persona = system_prompt(request)
        contents = [
            types.Content(
                role="user" if turn.role == "user" else "model",
                parts=[types.Part(text=turn.text)],
            )
            for turn in turns(request)
        ]
        if not system_instruction and contents:
            contents[0].parts = [types.Part(text=persona), *(contents[0].parts or ())]
        return await self._client.aio.models.generate_content_stream(
            model=self._model,
            contents=list(contents),
            config=types.GenerateContentConfig(
                system_instruction=persona if system_instruction else None,
                max_output_tokens=self._max_output_tokens,
                thinking_config=self._thinking,
                automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            ),
        )

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, errors.APIError):
            return translate(
                _code(error),
                error.status,
                error.message,
                error.details,
                model=self._model,
                key=self._key,
            )
        name = type(error).__name__
        if isinstance(error, httpx2.HTTPError | OSError):
            return ProviderError(
                ErrorKind.NETWORK, f"Gemini ({self._model}) was not reached or was cut off: {name}."
            )
        return ProviderError(
            ErrorKind.SERVER, f"Gemini ({self._model}) answered what the SDK cannot read: {name}."
        )


def _read(chunk: types.GenerateContentResponse, finish: str) -> tuple[str, str]:
    """The text of a chunk without the model's thoughts, and why it ends here (or `finish`)."""
    if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
        reason = _name(chunk.prompt_feedback.block_reason)
        return "", reason if reason in _BLOCKED else "SAFETY"
    for candidate in chunk.candidates or ():
        parts = (candidate.content.parts if candidate.content else None) or ()
        text = "".join(part.text for part in parts if part.text and not part.thought)
        return text, _name(candidate.finish_reason) if candidate.finish_reason else finish
    return "", finish


def _name(reason: object) -> str:
    return str(getattr(reason, "value", reason))


def _code(error: errors.APIError) -> int:
    """An error object inside a stream may carry anything as its code."""
    return error.code if isinstance(error.code, int) else 500


def _thinking(model: str, thinking: Thinking) -> types.ThinkingConfig | None:
    if thinking == "auto":
        if model.startswith("gemini-2.5-flash"):
            thinking = "off"
        elif model.startswith("gemini-3") and "flash" in model and "lite" not in model:
            thinking = "low" if model.startswith("gemini-3.8") else "minimal"
        else:
            thinking = "model"
    if thinking == "model":
        return None
    if thinking == "off":
        return types.ThinkingConfig(thinking_budget=0)
    level = types.ThinkingLevel.MINIMAL if thinking == "minimal" else types.ThinkingLevel.LOW
    return types.ThinkingConfig(thinking_level=level)
