"""Every HTTP route over real sockets: schemathesis by the schema, and bytes that are no HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.web.here import HERE_PATH, leave_ticket
from tests.fakes.relay import running

_EXAMPLES = 15


@dataclass
class Served:
    """A relay that runs in a thread of its own, and its owner's browser."""

    url: str
    cookie: str
    csrf: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    ready: list[str] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(
            pairing={"wrong_guesses": 1000, "wrong_guesses_per_source": 1000}
        ) as relay:
            for name in ("x", "24:6f:28:00:00:01"):
                await relay.registry.issue(name)
            ready.append(relay.url.replace("ws://", "http://").removesuffix("/xiaozhi/v1/"))
            ready.append(HERE_PATH + leave_ticket(relay.data))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(30)
    try:
        with httpx2.Client(base_url=ready[0]) as client:
            client.get(ready[1])
            token = client.post("/api/login", json={}).json()["csrf_token"]
            yield Served(ready[0], client.cookies["doll"], token)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.mark.parametrize("signed_in", [True, False], ids=["owner", "stranger"])
def test_no_request_that_the_schema_allows_or_forbids_is_answered_with_a_fault(
    served: Served, signed_in: bool
) -> None:
    headers = {"cookie": f"doll={served.cookie}", "x-csrf-token": served.csrf}
    raw = httpx2.get(f"{served.url}/api/openapi.json", headers=headers).json()
    schema = schemathesis.openapi.from_dict(raw)
    counts: dict[str, int] = {}
    statuses: set[int] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if signed_in and operation.path in ("/api/logout", "/api/login"):
            continue  # both end this login, and the others would be a stranger's from there on

        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            given_headers = headers if signed_in else {}
            answer = case.call(base_url=served.url, headers=given_headers, timeout=10)
            counts[operation.label] = counts.get(operation.label, 0) + 1  # noqa: B023 (runs at once)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, f"{operation.label}: {answer.text[:200]}"  # noqa: B023

        ask()
    print(f"schemathesis: {sum(counts.values())} requests to {len(counts)} operations, {statuses}")
    assert len(counts) >= 8
    assert httpx2.get(f"{served.url}/healthz").status_code == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
            b"POST /api/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\n",
            b"POST /xiaozhi/ota/ HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
            b"GET /xiaozhi/v1/ HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n",
        ]
    ),
)
def test_bytes_that_are_no_http_are_no_fault(served: Served, data: bytes, start: bytes) -> None:
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=5) as raw:
        raw.sendall(start + data + b"\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := raw.recv(4096):
                answer += part
        except ConnectionError:
            pass
    assert b" 500 " not in answer.split(b"\r\n")[0]
