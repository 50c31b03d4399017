"""Gemini as a brain: it answers text, or hears the utterance itself, in one request a turn.

An answer by fields comes as JSON and is spoken while it streams; a model that has no JSON answers
in plain text. What a model lacks is known by its name or learned from its refusal, and then the
same question is sent again without it: within the turn, and with a permission of its own (see
`relay.llm.meter`). The history is the relay's, never the SDK's chats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.gemini_server import FAILURES, GeminiServer
from relay.llm.answers import AnswerReader, JsonAnswer
from relay.llm.base import Heard, Part, Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.gemini_audio import flac, worth_hearing
from relay.llm.gemini_capabilities import Capabilities, Lack, LackError, capabilities, lack
from relay.llm.gemini_errors import BLOCKED
from relay.llm.gemini_requests import config, contents, form
from relay.llm.meter import Meter, Unmetered, Usage
from relay.llm.plain import PlainAnswer
from relay.llm.seeing import PHOTO_TOKENS, shortened
from relay.llm.settings import Safety
from relay.llm.tokens import estimate
from relay.streaming import Deadlines, bounded

# The SDK comes behind the server's module, which says what to install when it is missing.
# isort: split
from google.genai import errors, types

_log = structlog.get_logger(__name__)


class GeminiModel:
    """A MeteredModel on one of Google's models. Shared by all dolls; holds no conversation."""

    def __init__(
        self,
        server: GeminiServer,
        model: str,
        *,
        deadlines: Deadlines | None = None,
        known: Capabilities | None = None,
        safety: Safety = "medium",
        max_output_tokens: int = 800,
        temperature: float | None = None,
    ) -> None:
        """Several models share one `server`; closing any of them closes it.

        `known` is what the model can do, where its name does not tell; tokens bound an answer.
        """
        self._server = server
        self._model = model
        self._deadlines = deadlines or Deadlines()
        self._can = known or capabilities(model)
        self._safety: Safety = safety
        self._max_output_tokens = max_output_tokens
        self._temperature = temperature

    @property
    def name(self) -> str:
        """See MeteredModel."""
        return self._model

    @property
    def hears(self) -> bool:
        """See MeteredModel."""
        return self._can.hears

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        """See MeteredModel."""
        system = system_prompt(request, form(self._can, hearing=utterance is not None))
        return estimate(system, turns(request), utterance, schema=self._can.json)

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        async with aclosing(self._answer(request, None, meter or Unmetered())) as parts:
            async for part in parts:
                if not isinstance(part, Heard):
                    yield part

    async def hear(
        self, utterance: Pcm, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Heard | Part, None]:
        """See SpeechModel.hear."""
        if not worth_hearing(utterance):
            yield Heard("none", "", request.language)
            return
        async with aclosing(self._answer(request, utterance, meter or Unmetered())) as parts:
            async for part in parts:
                yield part

    @property
    def sees(self) -> bool:
        """See SeeingModel."""
        return self._can.sees

    async def look(self, jpeg: bytes, request: Request, meter: Meter | None = None) -> str:
        """See SeeingModel.look."""
        parts = self._answer(request, None, meter or Unmetered(), photo=jpeg)
        async with aclosing(parts):
            text = "".join([part async for part in parts if isinstance(part, str)])
        return shortened(text)

    async def close(self) -> None:
        """See LanguageModel.close."""
        await self._server.close()

    async def _answer(
        self, request: Request, utterance: Pcm | None, meter: Meter, *, photo: bytes | None = None
    ) -> AsyncGenerator[Heard | Part, None]:
        sound = None if utterance is None else await asyncio.to_thread(flac, utterance)
        while True:
            can = self._can
            if sound is not None and not can.hears:
                raise ProviderError(
                    ErrorKind.BAD_REQUEST, f"{self._model} hears nothing: it answers text only."
                )
            if photo is not None and not can.sees:
                raise ProviderError(
                    ErrorKind.BAD_REQUEST, f"{self._model} sees nothing: it answers text only."
                )
            tokens = self.tokens(request, utterance) + (PHOTO_TOKENS if photo else 0)
            await meter.permit(tokens)
            # What is seen is told in plain words: nothing in it is for the doll to act on.
            how = can if photo is None else replace(can, json=False)
            try:
                async with aclosing(self._one_request(request, how, sound, meter, photo)) as parts:
                    async for part in parts:
                        yield part
                return
            except LackError as error:
                if not self._learn(can, error.lack):
                    raise

    def _learn(self, asked: Capabilities, lack: Lack) -> bool:
        """Ask for less from now on; False if nothing less can be asked for."""
        less = asked.without(lack)
        if less == asked:
            return False
        if self._can == asked:  # else another doll's turn has learned in the meantime
            self._can = less
            _log.info("model refused; asking again without", llm=self._model, what=lack.value)
        return True

    async def _one_request(
        self,
        request: Request,
        can: Capabilities,
        sound: bytes | None,
        meter: Meter,
        photo: bytes | None,
    ) -> AsyncGenerator[Heard | Part, None]:
        hearing = sound is not None
        languages = (request.language, *request.persona.languages) if hearing else ()
        reader: AnswerReader = JsonAnswer(languages) if can.json else PlainAnswer()
        service = f"Gemini ({self._model})"
        texts = self._texts(request, can, sound, photo, meter.used)
        answered = False
        async with aclosing(bounded(texts, self._deadlines, service=service)) as pieces:
            async for text in pieces:
                for part in reader.push(text):
                    answered = answered or _is_answer(part)
                    yield part
                if reader.unheard:
                    return  # nothing was said to the doll: the rest of the answer is of no use
        for part in reader.finish():
            answered = answered or _is_answer(part)
            yield part
        if not answered:
            raise ProviderError(ErrorKind.SERVER, f"{service} answered with no words.")

    async def _texts(
        self,
        request: Request,
        can: Capabilities,
        sound: bytes | None,
        photo: bytes | None,
        used: Callable[[Usage], None],
    ) -> AsyncGenerator[str, None]:
        """The text of one request as it streams in."""
        failure: ProviderError | None = None
        try:
            stream = await self._server.client.models.generate_content_stream(
                model=self._model,
                contents=list(contents(request, can, sound, photo)),
                config=config(
                    request,
                    can,
                    hearing=sound is not None,
                    safety=self._safety,
                    max_output_tokens=self._max_output_tokens,
                    temperature=self._temperature,
                ),
            )
            silent, finish, usage = True, "nothing", None
            async for chunk in stream:
                text, finish = _read(chunk, finish)
                usage = chunk.usage_metadata or usage
                if text:
                    silent = False
                    yield text
                if finish in BLOCKED:
                    failure = ProviderError(
                        ErrorKind.BLOCKED, f"Gemini ({self._model}) refused the content: {finish}."
                    )
            if usage:
                used(_usage(usage))
            if silent and failure is None:
                failure = ProviderError(
                    ErrorKind.SERVER, f"Gemini ({self._model}) answered with no text: {finish}."
                )
        except FAILURES as error:
            failure = self._failure(error)
        # Raised here and not above, where the SDK's error, which holds the request and with it the
        # key, would travel along as the context.
        if failure:
            raise failure

    def _failure(self, error: Exception) -> ProviderError:
        failure = self._server.translate(error, self._model)
        if isinstance(error, errors.ClientError) and (what := lack(error.code, error.message)):
            return LackError(failure.message, what)
        return failure


def _is_answer(part: Heard | Part) -> bool:
    return isinstance(part, str) or (isinstance(part, Heard) and part.kind != "speech")


def _read(chunk: types.GenerateContentResponse, finish: str) -> tuple[str, str]:
    """The text of a chunk without the model's thoughts, and why it ends here (or `finish`)."""
    if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
        reason = _name(chunk.prompt_feedback.block_reason)
        return "", reason if reason in BLOCKED else "SAFETY"
    for candidate in chunk.candidates or ():
        parts = (candidate.content.parts if candidate.content else None) or ()
        text = "".join(part.text for part in parts if part.text and not part.thought)
        return text, _name(candidate.finish_reason) if candidate.finish_reason else finish
    return "", finish


def _name(reason: object) -> str:
    return str(getattr(reason, "value", reason))


def _usage(told: types.GenerateContentResponseUsageMetadata) -> Usage:
    return Usage(
        told.prompt_token_count or 0,
        told.candidates_token_count or 0,
        told.thoughts_token_count or 0,
    )
