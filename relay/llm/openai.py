"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, Groq, OpenRouter."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.base import Part, Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.meter import Meter, TextOnly, Unmetered, Usage
from relay.llm.plain import PlainAnswer
from relay.llm.schema import answer_schema
from relay.llm.settings import Sampling
from relay.llm.tokens import estimate
from relay.openai_server import FAILURES, OpenAIServer, events
from relay.persona.prompt import Form
from relay.streaming import Deadlines, bounded

_NAMES_THE_FORM = re.compile(r"grammar|schema|response_format", re.IGNORECASE)

_log = structlog.get_logger(__name__)


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    """What is read of one event; servers differ in all else."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


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
        fields: bool = True,
    ) -> None:
        """`base_url` ends where `/chat/completions` begins, as in `http://localhost:11434/v1`.

        `fields`: ask for an answer by fields, until the server refuses.
        """
        self.name = model
        self._deadlines = deadlines or Deadlines()
        self._sampling = sampling or Sampling()
        self._fields = fields
        self._server = OpenAIServer(base_url, model, key)

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        """See MeteredModel."""
        form = self._form(request)
        told = system_prompt(request, form)
        return estimate(told, turns(request), utterance, schema=form == "fields")

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        meter = meter or Unmetered()
        form = self._form(request)
        await meter.permit(self.tokens(request))
        begun = False
        try:
            async with aclosing(self._answer(request, form, meter)) as parts:
                async for part in parts:
                    begun = True
                    yield part
            return
        except ProviderError as error:
            if begun or form == "text" or not _may_be_the_form(error):
                raise
        # Many servers have no schemas, or none with streaming. Plain text is what all have.
        await meter.permit(estimate(system_prompt(request), turns(request), None, schema=False))
        async with aclosing(self._answer(request, "text", meter)) as parts:
            async for part in parts:
                if self._fields:  # it was the form: the same question is taken without it
                    self._fields = False
                    _log.info("server refused; asking from now on without fields", llm=self.name)
                yield part

    def _form(self, request: Request) -> Form:
        return "fields" if self._fields and not request.instructions else "text"

    async def _answer(
        self, request: Request, form: Form, meter: Meter
    ) -> AsyncGenerator[Part, None]:
        """One request. The reader takes text and objects: few servers are held to what they say."""
        reader = PlainAnswer()
        texts = bounded(
            self._texts(request, form, meter.used), self._deadlines, service=self._server.name
        )
        answered = False
        async with aclosing(texts):
            async for text in texts:
                for part in reader.push(text):
                    answered = answered or isinstance(part, str)
                    yield part
        for part in reader.finish():
            answered = answered or isinstance(part, str)
            yield part
        if not answered:
            raise ProviderError(ErrorKind.SERVER, f"{self._server.name} answered with no words.")

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def _texts(
        self, request: Request, form: Form, used: Callable[[Usage], None]
    ) -> AsyncGenerator[str, None]:
        failure: ProviderError | None = None
        usage: _Usage | None = None
        try:
            async with (
                self._server.ask("/chat/completions", json=self._question(request, form)) as answer,
                aclosing(events(answer)) as stream,
            ):
                async for data in stream:
                    chunk = msgspec.json.decode(data, type=_Chunk)
                    if chunk.error:
                        failure = self._server.failed(chunk.error)
                        break
                    usage = chunk.usage or usage
                    for choice in (chunk.choices or ())[:1]:
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
        # Outside of the handler: the client's error holds the request, and with it the key.
        if failure:
            raise failure

    def _question(self, request: Request, form: Form) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": list(_messages(request, form)),
            "stream": True,
            **_response_format(request, form),
            **_options(self._sampling),
        }


def _options(sampling: Sampling) -> dict[str, Any]:
    """Only what is set: many a server refuses what it does not know."""
    options: dict[str, Any] = {}
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
    if sampling.repetition_penalty is not None:
        options["repetition_penalty"] = sampling.repetition_penalty
    return {**options, **sampling.extra_body}


def _response_format(request: Request, form: Form) -> dict[str, Any]:
    if form == "text":
        return {}
    shape = {"name": "answer", "schema": answer_schema(request)}
    return {"response_format": {"type": "json_schema", "json_schema": shape}}


def _may_be_the_form(error: ProviderError) -> bool:
    """Whether a request was refused for its schema. Words differ too much to be relied on; only a
    server that fails on one (llama.cpp's 500) has to name it."""
    if error.kind is ErrorKind.SERVER:
        return bool(_NAMES_THE_FORM.search(error.message))
    return error.kind is ErrorKind.BAD_REQUEST and not isinstance(error, ModelGoneError)


def _messages(request: Request, form: Form) -> Iterable[dict[str, str]]:
    yield {"role": "system", "content": system_prompt(request, form)}
    for turn in turns(request):
        yield {"role": turn.role, "content": turn.text}
