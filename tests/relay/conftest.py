"""The databases that the relay runs on: SQLite always, PostgreSQL where Debian's is installed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.fakes.postgres import PostgresServer, find_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session, on a socket of its own."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL IS NOT TESTED: apt install postgresql")
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database; "" for the file in the data folder."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"doll_{os.getpid()}_{secrets.token_hex(4)}")
