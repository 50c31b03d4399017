"""The fake itself: `async with serving_gemini() as fake:` and `fake.url` is a base URL for SDKs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote

from tools.fake_gemini.answers import Answers
from tools.fake_gemini.faults import FAULTS, Chance, Chances
from tools.fake_gemini.http import Journal, Pause, Reply, Request, serving
from tools.fake_gemini.models import Model, catalogue
from tools.fake_gemini.quota import Allowance, Counting, Limits
from tools.fake_gemini.refusals import exceeded, in_words
from tools.fake_gemini.replies import (
    KEY,
    Form,
    Item,
    error_reply,
    invalid,
    no_key,
    not_found,
    render,
    retired,
    wrong_key,
)
from tools.fake_gemini.request import Asked, InvalidError, read
from tools.fake_gemini.schema import SchemaError

MIN_DEADLINE_S = 10.0
_VERSIONS = ("v1beta", "v1alpha", "v1")
_VERBS = ("generateContent", "streamGenerateContent", "countTokens")

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rules:
    """How the fake behaves. The default takes any number of requests and answers at once."""

    key: str = KEY
    limits: Limits | None = field(default_factory=Limits)  #: None: what each model really has
    own_limits: Mapping[str, Limits] = field(default_factory=dict)  #: by model, before `limits`
    counting: Counting = field(default_factory=Counting)
    retired: frozenset[str] = frozenset()  #: besides those that are
    without_system_instruction: frozenset[str] = frozenset()  #: besides those that take none
    chances: tuple[Chance, ...] = ()
    first_s: float = 0.0  #: from a request to the first chunk of its answer
    gap_s: float = 0.0  #: between two chunks
    seed: int = 0


@dataclass(slots=True)
class Seen:
    """A request as an observer is told of it."""

    path: str
    status: int | None = None  #: None: it is left without an answer
    fault: str | None = None
    in_minute: int = 0  #: requests to its model that count at the moment
    today: int = 0
    limits: Limits | None = None  #: of its model; None for a request that does not count


class FakeGemini:
    """A project with one key. `clock` gives Unix time and decides about minutes and days."""

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        clock: Clock = time.time,
        observe: Callable[[Seen], None] = lambda _seen: None,
        keep: int | None = None,
    ) -> None:
        """`keep` is how many requests `journal` holds; None is all, for tests."""
        self.url = ""
        self.journal = Journal(keep)
        self.asked: deque[Asked] = deque(maxlen=keep)  #: requests that were valid
        self._rules = rules or Rules()
        self._clock = clock
        self._observe = observe
        self._allowances: dict[str, Allowance] = {}
        self._script: deque[Reply | str] = deque()
        random = Random(self._rules.seed)  # noqa: S311 (chance, no secret)
        self._answers = Answers(random)
        self._chances = Chances(self._rules.chances, random)

    def play(self, *replies: Reply | str) -> None:
        """Queue what the next valid requests get: replies as they are, or faults by their name."""
        self._script.extend(replies)

    @property
    def last(self) -> dict[str, Any]:
        """The body of the newest request."""
        return self.journal.requests[-1].json

    async def handle(self, request: Request) -> Reply:
        """Answer a request."""
        target, _, tail = request.target.partition("?")
        seen, query = Seen(unquote(target)), parse_qs(tail)
        form: Form = "unary"
        if seen.path.endswith(":streamGenerateContent"):
            form = "sse" if query.get("alt") == ["sse"] else "array"
        reply = _wrapped(self._route(request, seen, query, form), form)
        seen.status = reply.status
        self._observe(seen)
        return reply

    def _route(
        self, request: Request, seen: Seen, query: Mapping[str, list[str]], form: Form
    ) -> Reply:
        key = request.headers.get("x-goog-api-key") or (query.get("key") or [""])[0]
        if key != self._rules.key:
            return wrong_key() if key else no_key()
        version, _, rest = seen.path.lstrip("/").partition("/")
        name, _, verb = rest.removeprefix("models/").partition(":")
        if version not in _VERSIONS or not rest.startswith("models"):
            return Reply(404, "text/html", (b"<html><title>Error 404 (Not Found)</title></html>",))
        if request.method == "GET":
            return self._list(query) if rest == "models" else self._describe(version, name)
        if refusal := _too_short(request.headers.get("x-server-timeout")):
            return refusal
        model = self._model(version, name)
        if isinstance(model, Reply):
            return model
        if verb not in _VERBS or request.method != "POST":
            return not_found(name)
        try:
            asked = read(request.body, model)
            if verb == "countTokens":
                return render(({"totalTokens": asked.input_tokens},), "unary")
            items = self._answers.to(asked, form)
        except (InvalidError, SchemaError) as error:
            return invalid(str(error))
        self.asked.append(asked)
        return self._over(asked, seen) or self._answered(items, model, form, seen)

    def _answered(self, items: tuple[Item, ...], model: Model, form: Form, seen: Seen) -> Reply:
        """The answer, or what the script or chance makes of it."""
        scripted = self._script.popleft() if self._script else self._chances.draw()
        if isinstance(scripted, Reply):
            return scripted
        made: tuple[Item, ...] | Reply = items
        if scripted is not None:
            seen.fault = scripted
            made = FAULTS[scripted].strike(model.name, items, form)
        return made if isinstance(made, Reply) else render(tuple(self._paced(made)), form)

    def _over(self, asked: Asked, seen: Seen) -> Reply | None:
        """Count the request; its 429 if there is no allowance left."""
        allowance, now = self._allowance(asked.model), self._clock()
        refused = allowance.take(now, asked.input_tokens)
        seen.in_minute, seen.today = allowance.used(now)
        seen.limits = allowance.limits
        if refused is None:
            return None
        family = asked.model.name.replace("-preview", "")
        return error_reply(429, exceeded(refused.exceeded, in_words(refused.retry_s), family))

    def _allowance(self, model: Model) -> Allowance:
        if model.name not in self._allowances:
            limits = self._rules.own_limits.get(model.name, self._rules.limits) or model.limits
            self._allowances[model.name] = Allowance(limits, self._rules.counting)
        return self._allowances[model.name]

    def _paced(self, items: Sequence[Item]) -> Iterator[Item]:
        """As fast as a model writes."""
        pause = self._rules.first_s
        for item in items:
            if isinstance(item, Mapping):
                if pause:
                    yield Pause(pause)
                pause = self._rules.gap_s
            yield item

    def _model(self, version: str, name: str) -> Model | Reply:
        known = catalogue()
        if version == "v1beta":
            name = known.aliases.get(name, name)
        if name in self._rules.retired | known.retired:
            return retired(name)
        model = known.models.get(name)
        if model is None:
            return not_found(name)
        if name in self._rules.without_system_instruction:
            return replace(model, system=False)
        return model

    def _describe(self, version: str, name: str) -> Reply:
        model = self._model(version, name)
        return model if isinstance(model, Reply) else render((model.describe(),), "unary")

    def _list(self, query: Mapping[str, list[str]]) -> Reply:
        models = [m for m in catalogue().models.values() if m.name not in self._rules.retired]
        try:
            size = min(int((query.get("pageSize") or ["50"])[0]) or 50, 1_000)
            start = int((query.get("pageToken") or ["0"])[0])
        except ValueError:
            return invalid("Invalid page_token or page_size.")
        if size < 0 or start < 0:
            return invalid("Invalid page_token or page_size.")
        page: dict[str, Any] = {"models": [m.describe() for m in models[start : start + size]]}
        if start + size < len(models):
            page["nextPageToken"] = str(start + size)
        return render((page,), "unary")


@asynccontextmanager
async def serving_gemini(
    rules: Rules | None = None,
    *,
    clock: Clock = time.time,
    observe: Callable[[Seen], None] = lambda _seen: None,
    port: int = 0,
    keep: int | None = None,
) -> AsyncIterator[FakeGemini]:
    """Serve a fake on loopback (port 0: any). Raises OSError."""
    fake = FakeGemini(rules, clock=clock, observe=observe, keep=keep)
    async with serving(fake.handle, fake.journal, port) as url:
        fake.url = url
        yield fake


def _too_short(deadline: str | None) -> Reply | None:
    """SDKs announce their time-out, and one below 10 s is refused."""
    if deadline is None:
        return None
    try:
        seconds = float(deadline)
    except ValueError:
        return invalid("Invalid X-Server-Timeout.")
    if seconds >= MIN_DEADLINE_S:
        return None
    return invalid(
        f"Manually set deadline {seconds:g}s is too short. Minimum allowed deadline is "
        f"{MIN_DEADLINE_S:g}s."
    )


def _wrapped(reply: Reply, form: Form) -> Reply:
    """Without `alt=sse` an error of a stream stands in an array, where the old SDK loses it."""
    plain = all(isinstance(part, bytes) for part in reply.body) and "json" in reply.content_type
    if form != "array" or reply.status in (200, None) or not plain:
        return reply
    whole = b"".join(part for part in reply.body if isinstance(part, bytes))
    return reply if whole.startswith(b"[") else replace(reply, body=(b"[", whole, b"]"))
