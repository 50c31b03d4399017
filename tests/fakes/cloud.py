"""A relay whose brain has two models of a cloud, and the small one behind them."""

from __future__ import annotations

from dataclasses import dataclass

from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.quota.base import NotToday
from relay.services import Services
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.quota import ScriptedQuota

SMALL = "작은 머리의 대답이야."
CLOUD = "구름 위에서 대답해."


@dataclass
class Cloud:
    """The parts of such a relay that a test turns."""

    services: Services
    quota: ScriptedQuota
    models: list[FakeMeteredModel]
    tail: FakeLanguageModel

    @classmethod
    def over(cls, services: Services) -> Cloud:
        """Put it over the services; where no model may hear, their recogniser does."""
        quota, tail = ScriptedQuota(), FakeLanguageModel([SMALL])
        models = [FakeMeteredModel(name, [CLOUD]) for name in ("lite", "older")]
        links = [Link(model, quota, "gemini") for model in models]
        services.brain = Chain(links, tail=tail, ears=services.stt)
        return cls(services, quota, models, tail)

    def exhausted(self) -> None:
        """There is no request left, today or ever."""
        for model in self.models:
            self.quota.admissions[model.name] = NotToday(None)

    def fails(self, error: Exception | None) -> None:
        """Both models do, each time."""
        for model in self.models:
            model.error = error
