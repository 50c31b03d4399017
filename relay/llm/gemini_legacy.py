"""Gemini by google-generativeai, the SDK that Google gave up: for those who have to use it.

`provider = "gemini"` is better in every respect, and docs/models.md says by how much. What this SDK
makes of a doll's needs decides how it is used here. Its REST streams hide every error behind "400
Unknown error", and its asynchronous calls do not work over REST: so each answer is one unary call,
which is spoken when it is whole, in a thread (a call that is interrupted runs on there until it
ends). Its own retries of a 503 go on for ten minutes, each against the allowance: they are off.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.base import Part, Request
from relay.llm.dialogue import system_prompt, turns
from relay.llm.extras import MissingExtraError
from relay.llm.gemini_capabilities import Lack, LackError, capabilities, lack
from relay.llm.gemini_errors import BLOCKED, translate, usable_key
from relay.llm.meter import Meter, TextOnly, Unmetered, Usage
from relay.llm.plain import PlainAnswer
from relay.llm.settings import Safety
from relay.llm.tokens import estimate
from relay.streaming import Deadlines, bounded
from relay.worker import Worker

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # that its support has ended: said below
        import google.generativeai as genai
    from google.api_core import exceptions
    from google.api_core.retry import Retry
    from google.generativeai.types import RequestOptions
except ImportError as error:
    raise MissingExtraError("old Gemini", "gemini-legacy", error) from None

#: An answer comes whole, so its first word comes late.
DEADLINES: Final = Deadlines(first_s=20.0, gap_s=5.0, total_s=25.0)

_CALLS = 8  #: at the same time
_FAILURES = (exceptions.GoogleAPIError, ValueError, TypeError, AttributeError, OSError)
"""What the SDK ends a call in; requests' own errors are OSErrors."""

_THRESHOLDS: dict[Safety, str] = {
    "low": "BLOCK_LOW_AND_ABOVE",
    "medium": "BLOCK_MEDIUM_AND_ABOVE",
    "high": "BLOCK_ONLY_HIGH",
    "off": "BLOCK_NONE",
}
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS")

_log = structlog.get_logger(__name__)


class GeminiLegacyModel(TextOnly):
    """A MeteredModel. The SDK's settings are global: one project for each process."""

    def __init__(
        self,
        key: str,
        model: str,
        *,
        base_url: str | None = None,
        deadlines: Deadlines = DEADLINES,
        safety: Safety = "medium",
        temperature: float | None = None,
        max_output_tokens: int = 800,
    ) -> None:
        """See GeminiModel. Raises ProviderError (AUTH) if there is no usable key."""
        self.name = model
        self._key = usable_key(key)
        self._deadlines = deadlines
        self._takes_system = capabilities(model).system_instruction
        self._safety = dict.fromkeys(_CATEGORIES, _THRESHOLDS[safety])
        self._generation: dict[str, Any] = {"max_output_tokens": max_output_tokens}
        if temperature is not None:
            self._generation["temperature"] = temperature
        self._options = RequestOptions(
            timeout=deadlines.total_s, retry=Retry(predicate=lambda _error: False)
        )
        self._worker = Worker("gemini-legacy", threads=_CALLS)
        genai.configure(
            api_key=self._key,
            transport="rest",
            client_options={"api_endpoint": base_url} if base_url else None,
        )
        _log.warning("google-generativeai has ended; llm.provider = gemini is better", llm=model)

    def tokens(self, request: Request, utterance: Pcm | None = None) -> int:
        """See MeteredModel."""
        return estimate(system_prompt(request), turns(request), utterance, schema=False)

    async def reply(
        self, request: Request, meter: Meter | None = None
    ) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        meter = meter or Unmetered()
        while True:
            system = self._takes_system
            await meter.permit(self.tokens(request))
            text = bounded(
                self._whole(request, meter.used, system=system),
                self._deadlines,
                service=f"Gemini ({self.name})",
            )
            reader = PlainAnswer()
            try:
                async with aclosing(text):
                    async for piece in text:
                        for part in (*reader.push(piece), *reader.finish()):
                            yield part
                return
            except LackError as error:
                if error.lack is not Lack.SYSTEM_INSTRUCTION or not system:
                    raise
                self._takes_system = False

    async def close(self) -> None:
        """End the threads."""
        await self._worker.close()

    async def _whole(
        self, request: Request, used: Callable[[Usage], None], *, system: bool
    ) -> AsyncGenerator[str, None]:
        """The whole text of one request, in one piece."""
        failure: ProviderError | None = None
        try:
            answer = await self._worker.run(self._ask, request, system=system)
            text, failure = self._read(answer)
            used(_usage(answer))
            if text:
                yield text
        except _FAILURES as error:
            failure = self._translate(error)
        # Outside of the handler: the SDK's error holds the request, and with it the key.
        if failure:
            raise failure

    def _ask(self, request: Request, *, system: bool) -> Any:
        """One request on the wire; blocks."""
        persona = system_prompt(request)
        contents = [
            {"role": "user" if turn.role == "user" else "model", "parts": [turn.text]}
            for turn in turns(request)
        ]
        if not system and contents:
            contents[0]["parts"] = [persona, *contents[0]["parts"]]
        model = genai.GenerativeModel(self.name, system_instruction=persona if system else None)
        return model.generate_content(
            contents,
            safety_settings=self._safety,
            generation_config=self._generation,
            request_options=self._options,
        )

    def _read(self, answer: Any) -> tuple[str, ProviderError | None]:
        """The text, and why there is not more of it. Not `answer.text`, which raises for either."""
        refused = answer.prompt_feedback.block_reason
        text, finish = "", refused.name if refused else "nothing"
        if answer.candidates:
            candidate = answer.candidates[0]
            text = "".join(part.text for part in candidate.content.parts if part.text)
            finish = candidate.finish_reason.name
        service = f"Gemini ({self.name})"
        if refused or finish in BLOCKED:
            return text, ProviderError(
                ErrorKind.BLOCKED, f"{service} refused the content: {finish}."
            )
        if not text.strip():
            return "", ProviderError(
                ErrorKind.SERVER, f"{service} answered with no text: {finish}."
            )
        return text, None

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, exceptions.GoogleAPICallError) and isinstance(error.code, int):
            body = {"error": {"message": error.message, "details": list(error.details or ())}}
            failure = translate(
                error.code, None, error.message, body, model=self.name, key=self._key
            )
            what = lack(error.code, error.message)
            return LackError(failure.message, what) if what else failure
        name, service = type(error).__name__, f"Gemini ({self.name})"
        if isinstance(error, OSError | exceptions.RetryError):
            return ProviderError(
                ErrorKind.NETWORK, f"{service} was not reached or was cut off: {name}."
            )
        return ProviderError(
            ErrorKind.SERVER, f"{service} answered what the SDK cannot read: {name}."
        )


def _usage(answer: Any) -> Usage:
    told = answer.usage_metadata
    return Usage(input=told.prompt_token_count, output=told.candidates_token_count)
