"""`python -m tools.bench.server`: the relay with instant providers."""

from __future__ import annotations

import argparse
from functools import partial

from relay.config import load
from relay.serve import serve
from tools.bench.instant import REPLY_S, build

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-format")
    parser.add_argument("--shortest", type=float, default=REPLY_S, help="seconds of an answer")
    parser.add_argument("--longest", type=float, default=REPLY_S)
    arguments = parser.parse_args()
    relay = {"port": arguments.port, "log_format": arguments.log_format}
    # The measurement is of the relay: its silence is the configured one, whatever was said.
    serve(
        load(flags={"relay": relay, "endpoint": {"learned": False}}),
        partial(build, shortest_s=arguments.shortest, longest_s=arguments.longest),
    )
