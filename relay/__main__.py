"""`python -m relay` is `doll relay` without flags: settings from doll.toml and the environment."""

from __future__ import annotations

import sys

from relay.config import ConfigError, load
from relay.errors import ProviderError
from relay.serve import serve

if __name__ == "__main__":
    try:
        serve(load())
    except (ConfigError, ProviderError) as error:
        sys.exit(f"doll relay: {error}")
