"""The `metrics` section of the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _can_be_shown(value: SecretStr) -> SecretStr:
    # Nobody limits how often it is guessed, so it has to be long.
    if not re.fullmatch(r"[!-~]{16,}", value.get_secret_value()):
        raise ValueError("must be 16 letters and digits at least: openssl rand -hex 16")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Who may read /metrics, and whether turns are traced."""

    #: Whoever reads /metrics shows it: `Authorization: Bearer …`. Without one, only who is on the
    #: relay's own machine may.
    token: Annotated[SecretStr, AfterValidator(_can_be_shown)] | None = None
    traces: bool = False  #: a span for each turn (extra `otel`), sent where OTEL_EXPORTER_… says
