"""What the key can use, joined with what is known of each model's limits and abilities."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.genai import types

from relay.config import ConfigError, Settings
from relay.errors import ModelGoneError
from relay.gemini_server import GeminiServer
from relay.llm.gemini_capabilities import capabilities
from relay.quota.factory import open_quota
from relay.quota.limits import Learned, Limits, allowance, family
from relay.quota.snapshot import ModelUse
from relay.quota.store import StoreError

#: Parts of the names of models that generate content, but are no brain for a doll.
_OTHER_WORK = (
    "tts", "image", "embedding", "live", "native-audio", "transcribe", "robotics", "computer-use",
    "veo", "lyria", "aqa",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One model."""

    name: str
    there: bool  #: the key can use it
    hears: bool  #: it can take the place of speech recognition
    limits: Limits
    learned: bool  #: a 429 has told some of them
    today: int | None  #: requests of this relay since midnight in California; None if not known


async def rows(server: GeminiServer, settings: Settings, key: str) -> tuple[list[Row], list[Row]]:
    """The configured chain in its order, and the other models that could be in it.

    Lists models and opens the quota's store if there is one; spends no allowance. Raises
    ProviderError and ConfigError.
    """
    offered = [_name(model) async for model in server.models() if _is_a_brain(model)]
    uses = await _uses(settings, key)
    chain = settings.llm.gemini.models
    there = {name: name in offered or await _exists(server, name) for name in chain}
    others = [name for name in offered if name not in chain]
    return (
        [_row(name, there[name], settings, uses) for name in chain],
        [_row(name, True, settings, uses) for name in others],
    )


def _row(name: str, there: bool, settings: Settings, uses: Mapping[str, ModelUse]) -> Row:
    use = uses.get(family(name))
    return Row(
        name=name,
        there=there,
        hears=capabilities(name).hears,
        limits=use.limits if use else allowance(name, settings.quota.limits).limits(Learned()),
        learned=bool(use and use.learned),
        today=use.day_requests if use else None,
    )


async def _exists(server: GeminiServer, name: str) -> bool:
    """Names such as gemini-flash-latest are in no list."""
    try:
        await server.model(name)
    except ModelGoneError:
        return False
    return True


async def _uses(settings: Settings, key: str) -> dict[str, ModelUse]:
    """By family, from the ledger that the relay keeps; empty where it has not kept one yet."""
    store = settings.ledgers.store
    is_a_file = "://" not in store and store != "memory"
    if store == "memory" or (is_a_file and not await asyncio.to_thread(Path(store).exists)):
        return {}
    try:
        quota = await open_quota(
            settings.ledgers,
            key,
            timezone=settings.persona.timezone,
            server=settings.llm.gemini.base_url or "",
        )
        try:
            return {use.model: use for use in await quota.snapshot()}
        finally:
            await quota.close()
    except StoreError as error:
        raise ConfigError(str(error)) from None


def _name(model: types.Model) -> str:
    return (model.name or "").removeprefix("models/")


def _is_a_brain(model: types.Model) -> bool:
    name = _name(model)
    generates = "generateContent" in (model.supported_actions or ())
    return bool(name) and generates and not any(part in name for part in _OTHER_WORK)
