"""What the plan is made from: the measured costs, and the assumptions."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

_HERE = Path(__file__).parent
COSTS, ASSUMPTIONS = _HERE / "costs.toml", _HERE / "assumptions.toml"

Amount = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class FiguresError(ValueError):
    """A file of figures cannot be used; one line that says why."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a file. The files say what each figure means, and where it is from."""


class Worker(_Table, frozen=True):
    base_mb: Amount
    resting_kb: Amount
    talking_kb: Amount
    idle_core: Amount
    resting_core: Amount
    usable: Annotated[float, Meta(gt=0, le=1)]
    greeting_us: Positive


class CodecCost(_Table, frozen=True):
    cpu_s_per_minute: Positive
    packet_bytes: Positive
    packet_ms: Positive


class Link(_Table, frozen=True):
    tls_bytes: Amount
    tcp_bytes: Amount
    up_bytes: Amount
    down_bytes: Amount
    ping_s: Positive
    tls_handshake_us: Positive


class TurnCost(_Table, frozen=True):
    up_share: Annotated[float, Meta(gt=0, le=1)]
    down_share: Annotated[float, Meta(gt=0, le=1)]
    input_tokens: Amount
    audio_tokens: Amount
    output_tokens: Amount
    background_requests: Amount
    recorded_bytes: Amount


class DatabaseCost(_Table, frozen=True):
    rows: Amount
    row_bytes: Amount
    transactions: Amount
    postgres_us: Positive
    arrival_us: Positive
    looks_per_s: Amount
    look_us: Amount


class RedisCost(_Table, frozen=True):
    claim_us: Amount
    refresh_us: Amount
    refresh_s: Positive
    quota_commands: Amount
    quota_us: dict[int, float]  #: by the limit a minute
    quota_relay_us: dict[int, float]


class Costs(_Table, frozen=True):
    """What was measured."""

    worker: Worker
    codec: dict[str, CodecCost]
    link: Link
    turn: TurnCost
    database: DatabaseCost
    redis: RedisCost


class Usage(_Table, frozen=True):
    minutes_per_day: Annotated[float, Meta(gt=0, le=1440)]
    turns_per_minute: Positive
    peak_to_mean: Annotated[float, Meta(ge=1, le=1440)]


class LayoutRules(_Table, frozen=True):
    cell_dolls: Count
    worker_dolls: Count
    machine_vcpus: Count
    machine_workers: Count
    proxy_dolls: Count
    own_gpu_s_per_turn: Positive
    own_gpu_usable: Annotated[float, Meta(gt=0, le=1)]


class KnownLimits(_Table, frozen=True):
    free_requests_per_day: Count
    free_requests_per_minute: Count
    ledger_requests_per_minute: Count
    small_vcpus: Count
    worker_default_dolls: Count
    ports: Count


class Prices(_Table, frozen=True):
    """US dollars."""

    seen: date
    vcpu_month: Amount
    gpu_hour: Amount
    traffic_gb: Amount
    disk_gb_month: Amount
    input_mtokens: Amount
    audio_mtokens: Amount
    output_mtokens: Amount
    speech_minute: Amount


class Assumptions(_Table, frozen=True):
    """What an owner may know better."""

    usage: Usage
    layout: LayoutRules
    limits: KnownLimits
    prices: Prices


@lru_cache(maxsize=1)
def costs() -> Costs:
    """What was measured, as the package has it."""
    return msgspec.convert(tomllib.loads(COSTS.read_text(encoding="utf-8")), Costs, strict=False)


def assumptions(file: Path = ASSUMPTIONS) -> Assumptions:
    """Those of a file. Raises FiguresError."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        return msgspec.convert(found, Assumptions)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise FiguresError(f"{file}: {why}") from None
