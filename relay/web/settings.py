"""The `admin` section of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """How long a browser stays signed in. How often a password may be tried: see `pairing`."""

    login_days: Annotated[float, Ge(0.01), Le(365)] = 30.0  #: at the longest
    idle_days: Annotated[float, Ge(0.01), Le(365)] = 7.0  #: with nothing asked for
