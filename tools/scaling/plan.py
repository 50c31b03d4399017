"""How many dolls need what, and what that costs a month. Arithmetic only.

    talking      = N · minutes / 1440 · peak to mean, and four standard deviations of a Poisson law
    turns        = N · minutes · turns a minute, a day
    worker cores = (talking · CPU of a minute / 60 + N · resting) / usable + workers · idle
    workers      = max(cores, N / dolls of a worker), and one that may fail, where there are several

Above `cell_dolls` all of it is there once for each cell: cells know nothing of each other, and a
doll belongs to one by the address of its relay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.scaling.figures import Assumptions, Costs

DAY_S = 86_400.0
MONTH_DAYS = 30.4
_HOURS = MONTH_DAYS * 24

#: A busy hour has many moments, and the plan is for the fullest of them.
_SIGMAS = 4.0


@dataclass(frozen=True, slots=True)
class Load:
    """What dolls ask for. Peaks are those of the busiest minutes; a second unless it says else."""

    dolls: int
    talking: int  #: at the same time, at the peak
    turns_per_day: float
    peak_turns: float
    up_bytes: float  #: of one doll that talks, by the wire
    down_bytes: float
    idle_bytes: float  #: of one that rests, both ways
    sent_gb_month: float
    requests_per_day: float
    peak_requests_per_minute: float
    database_gb_year: float
    recorded_gb_day: float


@dataclass(frozen=True, slots=True)
class Layout:
    """What carries it, of all cells together."""

    cells: int
    cell_dolls: int  #: of the fullest
    workers: int
    machines: int
    proxies: int
    vcpus: int
    worker_cores: float  #: at the peak
    memory_mb: int  #: resident, of all workers
    redis_core: float  #: of one cell's server, at the peak
    postgres_core: float
    greetings_per_s: float  #: of a cell's workers, when all dolls come back


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month. The brain and the voice have a price for each way to have them."""

    servers: float
    traffic: float
    disk: float
    brain_tokens: float
    voice_minutes: float
    gpus: int
    gpu: float  #: in place of the two before, and of any other recogniser

    @property
    def paid(self) -> float:
        """All, with paid tokens and a paid voice."""
        return self.servers + self.traffic + self.disk + self.brain_tokens + self.voice_minutes

    @property
    def own(self) -> float:
        """All, with one's own GPUs for ear, brain and voice."""
        return self.servers + self.traffic + self.disk + self.gpu


@dataclass(frozen=True, slots=True)
class Plan:
    """For one number of dolls."""

    load: Load
    layout: Layout
    bill: Bill


def plan(dolls: int, codec: str, costs: Costs, assumed: Assumptions) -> Plan:
    """What so many dolls need. Raises KeyError for a codec that was not measured."""
    load = _load(dolls, codec, costs, assumed)
    layout = _layout(load, codec, costs, assumed)
    return Plan(load, layout, _bill(load, layout, costs, assumed))


def with_minutes(assumed: Assumptions, minutes_per_day: float) -> Assumptions:
    """The same, of dolls that are talked with for so long."""
    usage = assumed.usage
    return type(assumed)(
        type(usage)(minutes_per_day, usage.turns_per_minute, usage.peak_to_mean),
        assumed.layout,
        assumed.limits,
        assumed.prices,
    )


def at_peak(dolls: int, assumed: Assumptions) -> int:
    """How many talk at the same time."""
    usage = assumed.usage
    mean = dolls * usage.minutes_per_day / 1440 * usage.peak_to_mean
    return min(dolls, math.ceil(mean + _SIGMAS * math.sqrt(mean)))


def _load(dolls: int, codec: str, costs: Costs, assumed: Assumptions) -> Load:
    usage, link, turn, packet = assumed.usage, costs.link, costs.turn, costs.codec[codec]
    minutes = dolls * usage.minutes_per_day
    turns = minutes * usage.turns_per_minute
    around = packet.packet_bytes + link.tls_bytes + link.tcp_bytes
    up = (around + link.up_bytes) * 1000 / packet.packet_ms * turn.up_share
    down = (around + link.down_bytes) * 1000 / packet.packet_ms * turn.down_share
    # A ping, a pong, and an acknowledgement of each.
    idle = (2 * (link.tls_bytes + link.tcp_bytes + 4) + 2 * link.tcp_bytes) / link.ping_s
    sent = (minutes * 60 * down + dolls * DAY_S * idle / 2) * MONTH_DAYS / 1e9
    talking = at_peak(dolls, assumed)
    requests = 1 + turn.background_requests
    return Load(
        dolls=dolls,
        talking=talking,
        turns_per_day=turns,
        peak_turns=talking * usage.turns_per_minute / 60,
        up_bytes=up,
        down_bytes=down,
        idle_bytes=idle,
        sent_gb_month=sent,
        requests_per_day=turns * requests,
        peak_requests_per_minute=talking * usage.turns_per_minute,
        database_gb_year=turns * costs.database.row_bytes * 365 / 1e9,
        recorded_gb_day=turns * turn.recorded_bytes / 1e9,
    )


def _layout(load: Load, codec: str, costs: Costs, assumed: Assumptions) -> Layout:
    rules = assumed.layout
    cells = math.ceil(load.dolls / rules.cell_dolls)
    cell = math.ceil(load.dolls / cells)
    one = _cell(cell, codec, costs, assumed)
    return replace(
        one,
        cells=cells,
        workers=one.workers * cells,
        machines=one.machines * cells,
        proxies=one.proxies * cells,
        vcpus=one.vcpus * cells,
        worker_cores=one.worker_cores * cells,
        memory_mb=one.memory_mb * cells,
    )


def _cell(dolls: int, codec: str, costs: Costs, assumed: Assumptions) -> Layout:
    rules, worker = assumed.layout, costs.worker
    talking = at_peak(dolls, assumed)
    busy = talking * costs.codec[codec].cpu_s_per_minute / 60 + dolls * worker.resting_core
    full = max(busy / (worker.usable - worker.idle_core), dolls / rules.worker_dolls)
    workers = math.ceil(full)
    workers += workers > 1  # one may fail
    machines = math.ceil(workers / rules.machine_workers)
    machines += machines == 1 and workers > 1
    proxies = 0 if workers == 1 else max(2, math.ceil(dolls / rules.proxy_dolls) + 1)
    shared = 0 if workers == 1 else 6  # Redis: 2; PostgreSQL: 4
    turns = talking * assumed.usage.turns_per_minute / 60
    memory = workers * worker.base_mb
    memory += (dolls * worker.resting_kb + talking * worker.talking_kb) / 1000
    return Layout(
        cells=1,
        cell_dolls=dolls,
        workers=workers,
        machines=machines,
        proxies=proxies,
        vcpus=_vcpus(workers, assumed) + 2 * proxies + shared,
        worker_cores=busy + workers * worker.idle_core,
        memory_mb=round(memory),
        redis_core=turns * quota_us(turns * 60, costs.redis.quota_us) / 1e6
        + dolls / costs.redis.refresh_s * costs.redis.refresh_us / 1e6,
        postgres_core=turns * costs.database.postgres_us / 1e6
        + workers * costs.database.looks_per_s * costs.database.look_us / 1e6,
        greetings_per_s=workers * 1e6 / worker.greeting_us,
    )


def _vcpus(workers: int, assumed: Assumptions) -> int:
    """A core for each worker, and in each machine what is left to the system."""
    if workers == 1:
        return assumed.limits.small_vcpus
    rules = assumed.layout
    each = rules.machine_vcpus / rules.machine_workers
    return math.ceil(workers * each)


def quota_us(per_minute: float, measured: dict[int, float]) -> float:
    """Between the limits at which it was measured; above the largest as there: a worker reads what
    is new in the ledger's log, and not the log."""
    points = sorted(measured.items())
    for (below, low), (above, high) in pairwise(points):
        if per_minute <= above:
            share = max(0.0, per_minute - below) / (above - below)
            return low + share * (high - low)
    return points[-1][1]


def _bill(load: Load, layout: Layout, costs: Costs, assumed: Assumptions) -> Bill:
    prices, turn, rules = assumed.prices, costs.turn, assumed.layout
    turns = load.turns_per_day * MONTH_DAYS
    tokens = (
        turn.input_tokens * (1 + turn.background_requests) * prices.input_mtokens
        + turn.audio_tokens * prices.audio_mtokens
        + turn.output_tokens * (1 + turn.background_requests) * prices.output_mtokens
    )
    spoken = load.turns_per_day / assumed.usage.turns_per_minute * turn.down_share * MONTH_DAYS
    gpus = math.ceil(load.peak_turns * rules.own_gpu_s_per_turn / rules.own_gpu_usable)
    return Bill(
        servers=layout.vcpus * prices.vcpu_month,
        traffic=load.sent_gb_month * prices.traffic_gb,
        disk=load.database_gb_year * prices.disk_gb_month,
        brain_tokens=turns * tokens / 1e6,
        voice_minutes=spoken * prices.speech_minute,
        gpus=gpus,
        gpu=gpus * prices.gpu_hour * _HOURS,
    )
