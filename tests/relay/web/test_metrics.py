"""Who may read /metrics, and that it is what Prometheus reads."""

from __future__ import annotations

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.metrics.refusals import Limit, count
from tests.fakes.relay import running
from tests.relay.web.conftest import Make, Site

TOKEN = "0123456789abcdef"


async def test_prometheus_reads_it_on_this_machine(site: Site) -> None:
    count(Limit.HELLO)
    answer = await (await site.browser()).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found["doll_connected"].samples[0].value == 0
    assert found["doll_turn_stage_seconds"].type == "histogram"
    assert {"doll_turns", "doll_limits", "doll_frames", "process_cpu_seconds"} <= set(found)


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("192.168.1.9", {}),
        ("203.0.113.9", {}),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}),
        ("203.0.113.9", {"x-forwarded-for": "127.0.0.1"}),
        ("127.0.0.1", {"host": "doll.example"}),
    ],
)
async def test_without_a_token_nobody_else_does(
    site: Site, host: str, headers: dict[str, str]
) -> None:
    stranger = await site.browser(host=host)
    answer = await stranger.get("/metrics", headers=headers)
    assert answer.status_code == 403
    assert "doll_" not in answer.text


async def test_with_a_token_whoever_shows_it_does_and_nobody_else(make_site: Make) -> None:
    site = await make_site(metrics={"token": TOKEN}, relay={"home_network": True})
    for host in ("127.0.0.1", "192.168.1.9"):
        client = await site.browser(host=host)
        for wrong in ({}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": TOKEN}):
            answer = await client.get("/metrics", headers=wrong)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "doll_" not in answer.text
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200


async def test_a_page_of_somebody_elses_may_not_read_it(site: Site) -> None:
    browser = await site.browser(origin="https://evil.example")
    assert (await browser.get("/metrics")).status_code == 403


async def test_it_answers_over_a_real_socket_and_knows_of_no_doll_by_name() -> None:
    async with running() as relay, httpx2.AsyncClient() as client:
        await relay.token("doll-with-a-name")
        url = relay.url.replace("ws://", "http://").replace("/xiaozhi/v1/", "/metrics")
        answer = await client.get(url)
        assert answer.status_code == 200
        assert "doll-with-a-name" not in answer.text
