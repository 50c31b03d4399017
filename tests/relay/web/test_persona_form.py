"""The fields of a persona over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.relay.web.conftest import Site


@pytest.fixture
async def client(site: Site) -> httpx2.AsyncClient:
    return await site.signed_in()


async def form(client: httpx2.AsyncClient, text: str, **fields: Any) -> dict[str, Any]:
    """What the page gets when these fields were changed."""
    asked: dict[str, Any] = {"text": text}
    if fields:
        now = (await client.post("/api/persona-form", json=asked)).json()["form"]
        asked["form"] = {**now, **fields}
    answer = await client.post("/api/persona-form", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
async def chacha(client: httpx2.AsyncClient) -> str:
    return str((await client.get("/api/personas/chacha")).json()["text"])


async def test_fields_become_text_that_can_be_saved(
    client: httpx2.AsyncClient, chacha: str
) -> None:
    quiet = {"start": "22:30", "end": "07:00", "answers": "softly", "volume": 30}
    edited = await form(client, chacha, owner="보라", quiet=quiet)
    assert (edited["why"], edited["form"]["owner"]) == ("", "보라")
    assert "# The light's colours" in edited["text"]
    assert (await client.put("/api/personas/mine", json={"text": edited["text"]})).is_success


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"owner": "x" * 50}, "owner"),
        ({"languages": ["korean"]}, "languages"),
        ({"rules": ["x"] * 30}, "rules"),
        ({"lights": {"happy": "#00ff00"}}, "lights"),
        ({"quiet": {"start": "22:30", "end": "22:30"}}, "quiet"),
        ({"lines": {"ko": {"greeting": ["x" * 600]}}}, "lines"),
    ],
)
async def test_what_is_wrong_is_told_with_its_field(
    client: httpx2.AsyncClient, chacha: str, change: dict[str, Any], field: str
) -> None:
    edited = await form(client, chacha, **change)
    assert (edited["field"], bool(edited["why"])) == (field, True)
    answer = await client.put("/api/personas/mine", json={"text": edited["text"]})
    assert (answer.status_code, answer.json()["detail"]["values"]["field"]) == (422, field)


async def test_a_text_that_is_no_toml_has_no_fields(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/persona-form", json={"text": "name = 차차"})
    assert (answer.status_code, answer.json()["detail"]["problem"]) == (422, "bad_text")
    bad = {"text": "", "form": {"quiet": {"start": "x", "end": "y"}}}
    assert (await client.post("/api/persona-form", json=bad)).status_code == 422
