"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, Groq, OpenRouter."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.streaming import Deadlines, bounded
from relay.openai_server import FAILURES, OpenAIServer

# The SDK comes behind the server's module, which says what to install when it is missing.
# isort: split
import openai
from openai.types.chat import ChatCompletionMessageParam


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
        self._deadlines = deadlines or Deadlines()
        self._temperature = openai.omit if temperature is None else temperature
        self._max_tokens = max_tokens
        self._server = OpenAIServer(base_url, model, key)

    def reply(self, request: Request) -> AsyncGenerator[str, None]:
        """See LanguageModel.reply."""
        return bounded(self._pieces(request), self._deadlines, service=self._server.name)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        failure: ProviderError | None = None
        try:
            stream = await self._server.client.chat.completions.create(
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
                                ErrorKind.BLOCKED, f"{self._server.name} refused the content."
                            )
        except FAILURES as error:
            failure = self._server.translate(error)
        # Outside of the handler: the SDK's error holds the request, and with it the key.
        if failure:
            raise failure


def _messages(request: Request) -> Iterable[ChatCompletionMessageParam]:
    yield {"role": "system", "content": system_prompt(request)}
    for turn in turns(request):
        if turn.role == "user":
            yield {"role": "user", "content": turn.text}
        else:
            yield {"role": "assistant", "content": turn.text}
