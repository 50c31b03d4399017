"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, Groq, OpenRouter."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any, TypedDict

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Part, Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.meter import Meter, TextOnly, Unmetered, Usage
from relay.llm.plain import PlainAnswer
from relay.llm.settings import Sampling
from relay.llm.tokens import estimate
from relay.openai_server import FAILURES, OpenAIServer
from relay.streaming import Deadlines, bounded

# The SDK comes behind the server's module, which says what to install when it is missing.
# isort: split
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionMessageParam


class OpenAIModel(TextOnly):
    """A MeteredModel on a chat completions endpoint. Shared by all dolls."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key: str = "",
        deadlines: Deadlines | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        """`base_url` ends where `/chat/completions` begins, as in `http://localhost:11434/v1`."""
        self.name = model
        self._deadlines = deadlines or Deadlines()
        self._sampling = sampling or Sampling()
        self._server = OpenAIServer(base_url, model, key)

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        """See MeteredModel."""
        return estimate(system_prompt(request), turns(request), utterance, schema=False)

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        meter = meter or Unmetered()
        await meter.permit(self.tokens(request))
        reader = PlainAnswer()
        texts = bounded(
            self._texts(request, meter.used), self._deadlines, service=self._server.name
        )
        answered = False
        async with aclosing(texts):
            async for text in texts:
                for part in reader.push(text):
                    answered = answered or isinstance(part, str)
                    yield part
        for part in reader.finish():
            answered = True
            yield part
        if not answered:
            raise ProviderError(ErrorKind.SERVER, f"{self._server.name} answered with no words.")

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _texts(
        self, request: Request, used: Callable[[Usage], None]
    ) -> AsyncGenerator[str, None]:
        failure: ProviderError | None = None
        usage: CompletionUsage | None = None
        try:
            stream = await self._server.client.chat.completions.create(
                model=self.name,
                messages=list(_messages(request)),
                stream=True,
                **_options(self._sampling),
            )
            async with stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    for choice in chunk.choices[:1]:
                        if choice.delta.content:
                            yield choice.delta.content
                        if choice.finish_reason == "content_filter" or choice.delta.refusal:
                            failure = ProviderError(
                                ErrorKind.BLOCKED, f"{self._server.name} refused the content."
                            )
            if usage:
                used(Usage(input=usage.prompt_tokens, output=usage.completion_tokens))
        except FAILURES as error:
            failure = self._server.translate(error)
        # Outside of the handler: the SDK's error holds the request, and with it the key.
        if failure:
            raise failure


class _Options(TypedDict, total=False):
    temperature: float
    top_p: float
    frequency_penalty: float
    max_tokens: int
    stop: list[str]
    extra_body: dict[str, Any]


def _options(sampling: Sampling) -> _Options:
    """Only what is set: many a server refuses what it does not know."""
    options: _Options = {}
    if sampling.temperature is not None:
        options["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        options["top_p"] = sampling.top_p
    if sampling.frequency_penalty is not None:
        options["frequency_penalty"] = sampling.frequency_penalty
    if sampling.max_tokens:
        options["max_tokens"] = sampling.max_tokens
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    extra = dict(sampling.extra_body)
    if sampling.repetition_penalty is not None:
        extra["repetition_penalty"] = sampling.repetition_penalty
    if extra:
        options["extra_body"] = extra
    return options


def _messages(request: Request) -> Iterable[ChatCompletionMessageParam]:
    yield {"role": "system", "content": system_prompt(request)}
    for turn in turns(request):
        if turn.role == "user":
            yield {"role": "user", "content": turn.text}
        else:
            yield {"role": "assistant", "content": turn.text}
