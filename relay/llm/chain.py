"""The brain of all dolls: models in order of preference, and a small one that is always there.

For each answer the quotas are asked which model is free; what happens when one fails is the table
in `relay.llm.policy`. Nobody gets a failure for an answer as long as any brain can give one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace

import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.admission import Leftover, Link, NotAdmittedError, Patience, Search, Seat
from relay.llm.base import Heard, LanguageModel, Request
from relay.llm.causes import Causes
from relay.llm.events import Answering, Event, Outage, Waiting
from relay.llm.gemini_errors import Limit, OverLimitError, Refusal
from relay.llm.nearby import with_near
from relay.llm.outages import Outages
from relay.llm.policy import Away, Elsewhere, Trouble, rule
from relay.llm.seeing import PHOTO_TOKENS, SeeingModel
from relay.metrics import turns
from relay.metrics.failures import model_failed
from relay.quota.base import Now, Priority, SupersededError
from relay.stt.base import SpeechToText

#: What the log calls the model at the end of the chain.
LOCAL = "local"

#: An answer ahead waits for nobody; half a second is what a busy ledger takes.
_AT_ONCE = Patience(0.0, 0.5)

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Progress:
    """How far one model has come with its answer."""

    heard: Heard | None = None
    spoke: bool = False  # text has been passed on, and cannot be taken back


class Chain:
    """Answers for all dolls; holds no conversation."""

    def __init__(
        self,
        links: Sequence[Link] = (),
        *,
        tail: LanguageModel | None = None,
        ears: SpeechToText | None = None,
        ears_timeout_s: float = 20.0,
        patience: Patience | None = None,
        auth_pause_s: float = 300.0,
        outage_again_s: float = 600.0,
    ) -> None:
        """`tail` answers when no link does. `ears` recognise an utterance that no link may hear."""
        self.tail = tail
        self.links = tuple(links)
        self._ears = ears
        self._ears_timeout_s = ears_timeout_s
        self._patience = patience or Patience()
        self._auth_pause_s = auth_pause_s
        self._outages = Outages(outage_again_s)
        self.on_failure: Callable[[str, Trouble], None] = _nobody_watches
        """Called with a model's name, and what was wrong with it."""
        self._gone: set[Link] = set()
        self._barred: dict[str, float] = {}  # provider -> the loop's time until which it is left

    async def answer(
        self, request: Request, *, doll: str, utterance: Pcm | None = None
    ) -> AsyncGenerator[Event, None]:
        """Stream the answer, and what the turn should know about where it comes from.

        With `utterance` (16 kHz) the models hear it, `request.text` is empty, and Heard comes
        before any text; where it says that nothing was said the answer ends there. Without text
        it raises: ProviderError, with `retry_after_s` where it is known when a model is back, or
        SupersededError. After the first text, what the model raises is raised: the words cannot be
        taken back, so nobody else is asked.

        May be read by one task after another. Closing it ends the request.
        """
        request = await with_near(request)
        search = Search(doll, self._patience)
        causes = Causes(search, request.now.timestamp())
        left = self._usable(causes)
        spare = 1  # attempts that failures of the ONCE kind leave
        while True:
            able = [link for link in left if link.model.hears or utterance is None]
            seat = await search.seat([(x, x.model.tokens(request, utterance)) for x in able])
            if seat is None:
                if utterance is None:
                    break
                heard = await self._recognise(utterance, request, causes)
                yield heard
                if heard.kind != "speech":
                    return
                request, utterance = await _with_text(request, heard), None
                left = [link for link in left if link not in able]
                continue
            left.remove(seat.link)
            progress = _Progress()
            try:
                if seat.wait_s > self._patience.silent_s:
                    yield Waiting(seat.wait_s)
                answer = self._ask(seat, search, request, utterance, progress)
                async with aclosing(answer):
                    async for event in answer:
                        yield event
            except NotAdmittedError as full:
                search.refusals.append(full.admission)
                continue
            except SupersededError:
                raise
            except Exception as raised:  # also a bug: another brain may have none
                error = _failure(seat.link, raised)
                row = rule(error)
                await self._report(seat.link, error)
                if progress.spoke or not row.local:
                    raise
                causes.errors.append(error)
                if row.away in (Away.HINT, Away.DAY):
                    await search.look(seat.link)  # it knows now when it is free again
                if progress.heard is not None:
                    if progress.heard.kind != "speech":
                        return
                    request, utterance = await _with_text(request, progress.heard), None
                if row.elsewhere is Elsewhere.NO or (row.elsewhere is Elsewhere.ONCE and not spare):
                    left = []
                spare -= row.elsewhere is Elsewhere.ONCE
                continue
            finally:
                await seat.stack.aclose()
            self._outages.ends(doll)
            await seat.link.quota.answered(seat.link.model.name)
            return
        async for event in self._small_brain(request, doll, causes):
            yield event

    async def ponder(self, request: Request, *, doll: str) -> str:
        """Answer something that nobody waits for, with quota that the turns leave over.

        One model is asked, once, and only one that is free at once. Empty where none is, or where
        it failed; then there is nothing to do but to go without. Cancelling it ends the request.
        """
        causes = Causes(Search(doll, self._patience), request.now.timestamp())
        for link in self._usable(causes):
            name, tokens = link.model.name, link.model.tokens(request)
            async with link.quota.place(
                name, doll=doll, tokens=tokens, priority=Priority.BACKGROUND
            ) as place:
                if not isinstance(place.admission, Now):
                    continue
                stream = link.model.reply(request, Leftover(place))
                try:
                    async with aclosing(stream):
                        text = "".join([part async for part in stream if isinstance(part, str)])
                except (NotAdmittedError, SupersededError):
                    continue
                except Exception as raised:  # noqa: BLE001 (logged there)
                    await self._report(link, _failure(link, raised))
                    return ""
            await link.quota.answered(name)
            return text.strip()
        return ""

    async def ahead(self, request: Request, *, doll: str) -> AsyncGenerator[Event, None]:
        """What the first model would answer, asked before it is certain that the question is over.

        Only with a request that no turn will miss, and only if it may go at once: otherwise, and
        where a model refuses, there is nothing in the stream. A failure is raised. Whoever has
        text of it must not ask again; whoever has none calls `answer`.
        """
        link = next(iter(self._usable(Causes(Search(doll, _AT_ONCE), 0.0))), None)
        if link is None:
            return
        request = await with_near(request)
        search = Search(doll, _AT_ONCE, Priority.BACKGROUND)
        seat = await search.seat([(link, link.model.tokens(request))])
        if seat is None:
            return
        async with seat.stack:
            if not isinstance(seat.place.admission, Now):
                return
            turns.begun(turns.Early.ANSWER)
            try:
                answer = self._ask(seat, search, request, None, _Progress())
                async with aclosing(answer):
                    async for event in answer:
                        yield event
            except (NotAdmittedError, SupersededError):
                return
            except Exception as raised:  # noqa: BLE001 (also a bug: told in our own words)
                error = _failure(link, raised)
                await self._report(link, error)
                raise error from None
        self._outages.ends(doll)
        await link.quota.answered(link.model.name)

    @property
    def sees(self) -> bool:
        """Whether a model can look at photos."""
        return any(link not in self._gone and _seeing(link) for link in self.links)

    async def look(self, jpeg: bytes, request: Request, *, doll: str) -> str:
        """What the first model that may see now says to `request.text` about a photo.

        Raises ProviderError where none does, with `retry_after_s` where that is known, or
        SupersededError. The embedded brain is never asked: it sees nothing.
        """
        search = Search(doll, self._patience)
        causes = Causes(search, request.now.timestamp())
        left = [link for link in self._usable(causes) if _seeing(link)]
        spare = 1
        while (
            seat := await search.seat([(x, x.model.tokens(request) + PHOTO_TOKENS) for x in left])
        ) is not None:
            left.remove(seat.link)
            model = _seeing(seat.link)
            assert model is not None
            try:
                text = await model.look(jpeg, request, search.permit(seat))
                if not text:
                    raise ProviderError(ErrorKind.SERVER, f"{model.name} answered with nothing.")
            except NotAdmittedError as full:
                search.refusals.append(full.admission)
            except SupersededError:
                raise
            except Exception as raised:  # noqa: BLE001 (also a bug: logged there)
                error = _failure(seat.link, raised)
                row = rule(error)
                await self._report(seat.link, error)
                if not row.local:
                    raise error from None
                causes.errors.append(error)
                if row.elsewhere is Elsewhere.NO or (row.elsewhere is Elsewhere.ONCE and not spare):
                    left = []
                spare -= row.elsewhere is Elsewhere.ONCE
            else:
                await seat.link.quota.answered(model.name)
                return text
            finally:
                await seat.stack.aclose()
        raise causes.as_error()

    async def close(self) -> None:
        """Close the models and the quotas."""
        quotas = {id(link.quota): link.quota for link in self.links}
        parts = [*(link.model for link in self.links), *quotas.values(), self.tail, self._ears]
        await asyncio.gather(
            *(part.close() for part in parts if part is not None), return_exceptions=True
        )

    async def _ask(
        self,
        seat: Seat,
        search: Search,
        request: Request,
        utterance: Pcm | None,
        progress: _Progress,
    ) -> AsyncGenerator[Event, None]:
        """One model's answer. What comes before its first text waits for that."""
        model, permit = seat.link.model, search.permit(seat)
        if utterance is None:
            stream: AsyncGenerator[Event, None] = model.reply(request, permit)
        else:
            stream = model.hear(utterance, request, permit)
        held: list[Event] = []
        async with aclosing(stream):
            async for part in stream:
                await permit.arrived()
                if isinstance(part, Heard):
                    progress.heard = part
                    yield part
                    continue
                if not progress.spoke and (not isinstance(part, str) or not part.strip()):
                    held.append(part)
                    continue
                if not progress.spoke:
                    progress.spoke = True
                    yield Answering(model.name, permit.granted_at)
                    for early in held:
                        yield early
                yield part
        if permit.usage is not None:
            _log.debug("tokens", llm=model.name, **asdict(permit.usage))
        if not progress.spoke and (progress.heard is None or progress.heard.kind == "speech"):
            raise ProviderError(ErrorKind.SERVER, f"{model.name} answered with nothing.")

    async def _small_brain(
        self, request: Request, doll: str, causes: Causes
    ) -> AsyncGenerator[Event, None]:
        if self.tail is None:
            raise causes.as_error()
        outage = None
        if self.links:
            news = self._outages.begins(doll, asyncio.get_running_loop().time())
            outage = Outage(causes.trouble, causes.back_at, news)
        yield Answering(LOCAL, outage=outage)
        stream = self.tail.reply(request)
        async with aclosing(stream):
            async for part in stream:
                yield part

    async def _recognise(self, utterance: Pcm, request: Request, causes: Causes) -> Heard:
        """What the embedded recogniser hears where no model may."""
        if self._ears is None:
            raise causes.as_error()
        others = (x for x in request.persona.languages if x != request.language)
        try:
            async with asyncio.timeout(self._ears_timeout_s):
                heard = await self._ears.transcribe(utterance, (request.language, *others))
        except TimeoutError:
            raise ProviderError(ErrorKind.NETWORK, "Recognition took too long.") from None
        return Heard("speech" if heard.text else "none", heard.text, heard.language)

    def _usable(self, causes: Causes) -> list[Link]:
        """The links that it makes sense to ask; why not the others goes to `causes`."""
        now = asyncio.get_running_loop().time()
        usable = []
        for link in self.links:
            if link in self._gone:
                continue
            if self._barred.get(link.provider, now) > now:
                refused = ProviderError(ErrorKind.AUTH, "The key was refused a moment ago.")
                causes.errors.append(refused)
            else:
                usable.append(link)
        return usable

    async def _report(self, link: Link, error: ProviderError) -> None:
        """Log a failure, and tell whoever keeps the next turns away from it."""
        row, name = rule(error), link.model.name
        log = getattr(_log, row.level)
        log("model failed", llm=name, kind=Trouble.of(error).value, why=error.message)
        model_failed(name, Trouble.of(error).value)
        self.on_failure(name, Trouble.of(error))
        match row.away:
            case Away.HINT | Away.DAY:
                await link.quota.refused(name, _refusal(error))
            case Away.COOL_DOWN:
                await link.quota.failed(name)
            case Away.FOR_GOOD:
                self._gone.add(link)
                await link.quota.retired(name)
            case Away.PROVIDER:
                until = asyncio.get_running_loop().time() + self._auth_pause_s
                self._barred[link.provider] = until
            case Away.NOT:
                pass


def _seeing(link: Link) -> SeeingModel | None:
    """Its model, if that sees."""
    return link.model if isinstance(link.model, SeeingModel) and link.model.sees else None


def _nobody_watches(_model: str, _trouble: Trouble) -> None:
    pass


def _failure(link: Link, raised: Exception) -> ProviderError:
    """A failure in our own vocabulary."""
    if isinstance(raised, ProviderError):
        return raised
    name = type(raised).__name__
    _log.error("a provider has a bug", llm=link.model.name, exc_info=raised)
    return ProviderError(ErrorKind.SERVER, f"{link.model.name} raised {name}.")


async def _with_text(request: Request, heard: Heard) -> Request:
    return await with_near(replace(request, text=heard.text, language=heard.language))


def _refusal(error: ProviderError) -> Refusal:
    """What a quota learns from a refusal; other servers than Google's tell only the time."""
    if isinstance(error, OverLimitError):
        return error.refusal
    limit = Limit.DAY if error.kind is ErrorKind.QUOTA else Limit.MINUTE
    return Refusal(limit, None, error.retry_after_s)
