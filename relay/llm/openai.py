"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, Groq, OpenRouter."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.extras import MissingExtraError
from relay.llm.streaming import Deadlines, bounded

try:
    import httpx2
    import openai
    from openai.types.chat import ChatCompletionMessageParam
except ImportError as error:
    raise MissingExtraError("OpenAI-compatible", "openai", error) from None

MAX_MESSAGE_CHARS = 300
_NO_KEY = "none"  # given on purpose: with nothing, the SDK would send OPENAI_API_KEY to any server


class OpenAIModel:
    """A LanguageModel on a chat completions endpoint. Shared by all dolls."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key: str = "",
        deadlines: Deadlines | None = None,
        temperature: float | None = None,
        max_tokens: int = 512,
    ) -> None:
        """`base_url` ends where `/chat/completions` begins, as in `http://localhost:11434/v1`."""
        self._model = model
        self._service = f"{model} at {httpx2.URL(base_url).host}"
        self._key = key.strip()
        self._deadlines = deadlines or Deadlines()
        self._temperature = openai.omit if temperature is None else temperature
        self._max_tokens = max_tokens
        self._client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY, base_url=base_url, max_retries=0, timeout=None
        )

    def reply(self, request: Request) -> AsyncGenerator[str, None]:
        """See LanguageModel.reply."""
        return bounded(self._pieces(request), self._deadlines, service=self._service)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        failure: ProviderError | None = None
        try:
            stream = await self._client.chat.completions.create(
                model=self._model,
                messages=list(_messages(request)),
                temperature=self._temperature,
                max_tokens=self._max_tokens,
                stream=True,
            )
            async with stream:
                async for chunk in stream:
                    for choice in chunk.choices[:1]:
                        if choice.delta.content:
                            yield choice.delta.content
                        if choice.finish_reason == "content_filter" or choice.delta.refusal:
                            failure = ProviderError(
                                ErrorKind.BLOCKED, f"{self._service} refused the content."
                            )
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, OSError) as error:
            failure = self._translate(error)
        # Outside of the handler: the SDK's error holds the request, and with it the key.
        if failure:
            raise failure

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError | OSError):
            name = type(error.__cause__ or error).__name__
            return ProviderError(
                ErrorKind.NETWORK, f"{self._service} was not reached or was cut off: {name}."
            )
        if isinstance(error, openai.APIStatusError):
            code, body = error.status_code, error.body
            text = self._text(f"{self._service} said {code}", error.message)
            retry_after_s = _seconds(error.response.headers.get("retry-after"))
            return ProviderError(_kind(code, body), text, retry_after_s=retry_after_s)
        if isinstance(error, openai.APIError):
            text = self._text(f"{self._service} failed in its answer", error.message)
            return ProviderError(ErrorKind.SERVER, text)
        name = type(error).__name__
        return ProviderError(
            ErrorKind.SERVER, f"{self._service} answered what the SDK cannot read: {name}."
        )

    def _text(self, what: str, said: str) -> str:
        if self._key:
            said = said.replace(self._key, "[key]")
        return f"{what}: {' '.join(said.split())}"[:MAX_MESSAGE_CHARS]


def _messages(request: Request) -> Iterable[ChatCompletionMessageParam]:
    yield {"role": "system", "content": system_prompt(request)}
    for turn in turns(request):
        if turn.role == "user":
            yield {"role": "user", "content": turn.text}
        else:
            yield {"role": "assistant", "content": turn.text}


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
