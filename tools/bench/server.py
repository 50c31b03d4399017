"""`python -m tools.bench.server`: the relay with instant providers."""

from __future__ import annotations

import argparse

from relay.config import load
from relay.serve import serve
from tools.bench.instant import build

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-format")
    arguments = parser.parse_args()
    relay = {"port": arguments.port, "log_format": arguments.log_format}
    # The measurement is of the relay: its silence is the configured one, whatever was said.
    serve(load(flags={"relay": relay, "endpoint": {"learned": False}}), build)
