"""Allowances that a test hands out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from relay.llm.gemini_errors import Refusal
from relay.quota.base import Admission, Later, NotToday, Now, OverError, Priority
from relay.quota.limits import Limits
from relay.quota.pacing import Step
from relay.quota.snapshot import ModelUse


@dataclass(frozen=True, slots=True)
class Grant:
    """One request that was let go, and when, in the loop's seconds."""

    at: float
    model: str
    doll: str
    tokens: int


class FakePlace:
    """A place whose `Later` comes true after just that time."""

    def __init__(self, quota: ScriptedQuota, admission: Admission, model: str, doll: str) -> None:
        self.admission = admission
        self._quota = quota
        self._model = model
        self._doll = doll
        self.tokens = 0

    async def granted(self) -> None:
        if isinstance(self.admission, Later):
            await asyncio.sleep(self.admission.seconds + self._quota.late_s)
        if self._quota.error is not None:
            raise self._quota.error
        if isinstance(self.admission, NotToday):
            raise OverError(self.admission.until)
        now = asyncio.get_running_loop().time()
        self._quota.granted.append(Grant(now, self._model, self._doll, self.tokens))


class ScriptedQuota:
    """Keeps the contract of `relay.quota.base.Quota`; `admissions` says what a model is told.

    A model that is not in `admissions` is told `Now`. A refusal of its requests is learned: it is
    told `after_refusal` from then on. `late_s` is how much longer each wait takes than was said,
    and `error` is raised instead of a grant. Without `spare` background work has to wait.
    `open_places` counts those that were not left.
    """

    def __init__(self, **admissions: Admission) -> None:
        self.admissions: dict[str, Admission] = dict(admissions)
        self.after_refusal: Admission = Later(42.0)
        self.late_s = 0.0
        self.error: Exception | None = None
        self.spare = True
        self.open_places = 0
        self.asked: list[str] = []
        self.granted: list[Grant] = []
        self.refusals: list[tuple[str, Refusal]] = []
        self.failures: list[str] = []
        self.answers: list[str] = []
        self.gone: list[str] = []
        self.closed = False

    @asynccontextmanager
    async def place(
        self, model: str, *, doll: str, tokens: int, priority: Priority = Priority.TURN
    ) -> AsyncGenerator[FakePlace, None]:
        self.asked.append(model)
        admission = self.admissions.get(model, Now())
        if priority is Priority.BACKGROUND and not self.spare:
            admission = Later(3600.0)
        place = FakePlace(self, admission, model, doll)
        place.tokens = tokens
        self.open_places += 1
        try:
            yield place
        finally:
            self.open_places -= 1

    async def refused(self, model: str, refusal: Refusal) -> None:
        self.refusals.append((model, refusal))
        self.admissions[model] = self.after_refusal

    async def failed(self, model: str) -> None:
        self.failures.append(model)

    async def answered(self, model: str) -> None:
        self.answers.append(model)

    async def retired(self, model: str) -> None:
        self.gone.append(model)

    async def snapshot(self) -> list[ModelUse]:
        """Each model that was asked; what was let go counts as sent in this minute."""
        return [self._use(model) for model in dict.fromkeys(self.asked)]

    def _use(self, model: str) -> ModelUse:
        sent = [grant for grant in self.granted if grant.model == model]
        admission = self.admissions.get(model, Now())
        return ModelUse(
            model=model,
            limits=Limits(),
            learned=any(refused == model for refused, _ in self.refusals),
            minute_requests=len(sent),
            minute_tokens=sum(grant.tokens for grant in sent),
            day_requests=len(sent),
            day_forecast=len(sent),
            step=Step.FREE,
            held_s=admission.seconds if isinstance(admission, Later) else 0.0,
            over=admission if isinstance(admission, NotToday) else None,
            retired=model in self.gone,
            waiting=0,
        )

    async def close(self) -> None:
        self.closed = True
