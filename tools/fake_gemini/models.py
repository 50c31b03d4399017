"""Which models there are, what each can do and how much of it is free."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.fake_gemini.quota import Limits

OUTPUT_TOKENS = 65_536
INPUT_TOKENS = 1_048_576


@dataclass(frozen=True, slots=True)
class Model:
    """What a model takes. A request for what it does not is refused with 400."""

    name: str
    limits: Limits
    thinking: tuple[str, ...] = ()  #: levels that it knows
    budget: bool = False  #: it takes a thinking budget
    thinks: bool = True  #: if it is not told otherwise
    system: bool = True  #: system instruction
    audio: bool = True  #: audio in
    pictures: bool = True  #: pictures in
    json: bool = True  #: JSON out
    speaks: bool = False  #: a voice: text in, audio out
    wav: bool = False  #: and a WAV file where the answer is in one piece

    def describe(self) -> dict[str, Any]:
        """Its entry in the list of models."""
        return {
            "name": f"models/{self.name}",
            "version": "001",
            "displayName": self.name.replace("-", " ").title(),
            "inputTokenLimit": 8_192 if self.speaks else INPUT_TOKENS,
            "outputTokenLimit": 16_384 if self.speaks else OUTPUT_TOKENS,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
        } | ({"thinking": True} if self.thinking or self.budget else {})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, by name."""

    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    retired: frozenset[str]


@cache
def catalogue() -> Catalogue:
    """What `models.toml` says."""
    path = Path(__file__).with_name("models.toml")
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    aliases = table.pop("aliases")
    retired = frozenset(table.pop("retired")["models"])
    models = {name: _model(name, entry) for name, entry in table.items()}
    return Catalogue(models, aliases, retired)


def _model(name: str, entry: dict[str, Any]) -> Model:
    limits = Limits(*(None if limit < 0 else limit for limit in entry.pop("limits")))
    speaks = entry.get("speaks", False)
    if speaks:  # a voice takes nothing but text
        nothing = dict.fromkeys(("system", "audio", "pictures", "json", "thinks"), False)
        entry = {**nothing, **entry}
    return Model(name, limits, tuple(entry.pop("thinking", ())), **entry)
