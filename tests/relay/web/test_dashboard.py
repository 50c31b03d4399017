"""The owner's page, and what it asks for: live events, care, memory, personas."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from relay.dolls import Dolls
from relay.memory.records import Exchange
from relay.memory.store import News
from relay.services import Services
from relay.web import dashboard_page
from tests.relay.web.conftest import Site

DOLL = "24:6f:28:00:00:01"
AT = f"/api/devices/{DOLL}"


@pytest.fixture
async def client(site: Site) -> httpx2.AsyncClient:
    found = await site.signed_in()
    await site.app.state.dolls.registry.issue(DOLL, name="차차")
    return found


@pytest.fixture
def dolls(site: Site) -> Dolls:
    found: Dolls = site.app.state.dolls
    return found


def problem(answer: httpx2.Response) -> str:
    return str(answer.json()["detail"]["problem"])


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    korean, english = dashboard_page.texts("ko"), dashboard_page.texts("en")
    assert set(korean) == set(english)
    for key, text in english.items():
        values = set(re.findall(r"{\w+}", text))
        assert set(re.findall(r"{\w+}", korean[key])) <= values | {"{n}"}, key


def test_every_text_that_the_page_names_is_there() -> None:
    texts = dashboard_page.texts("en")
    for name, file in dashboard_page.files().items():
        if name.endswith(".js"):
            for key in re.findall(r'\bt\("(\w+)"', file.body.decode()):
                assert key in texts, f"{name}: {key}"


async def test_nothing_is_inline_and_nothing_of_other_hosts(site: Site) -> None:
    page = await (await site.browser()).get("/")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.text)
    for name, file in dashboard_page.files().items():
        hosts = set(re.findall(r"https?://[^\s\"')]+", file.body.decode()))
        assert hosts <= {"http://www.w3.org/2000/svg"}, name
        assert ".innerHTML" not in file.body.decode(), name


@pytest.mark.parametrize("path", ["nothing.js", "../dashboard_page.py", "texts/ko.toml", ""])
async def test_nothing_else_can_be_asked_for(site: Site, path: str) -> None:
    answer = await (await site.browser()).get(f"/dashboard/{path}")
    assert answer.status_code == 404


async def test_a_page_that_watches_gets_all_at_once_and_then_what_happens(
    site: Site, client: httpx2.AsyncClient
) -> None:
    events = _watch(site, client.cookies["doll"])
    try:
        start = await anext(events)
        assert start[0] == "start"
        assert [doll["name"] for doll in start[1]["dolls"]] == ["차차"]
        assert start[1]["dolls"][0]["state"] == "offline"
        services_of(site).live.failed("rate", model="gemini-3-flash")
        kind, told = await anext(events)
        assert (kind, told["kind"], told["model"]) == ("failure", "rate", "gemini-3-flash")
        services_of(site).live.close()
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    finally:
        await events.aclose()
    assert len(services_of(site).live) == 0


async def test_a_doll_has_bounds_of_its_own_and_wrong_ones_are_refused(
    client: httpx2.AsyncClient,
) -> None:
    usual = (await client.get(f"{AT}/settings")).json()["usual"]
    given: dict[str, Any] = {"endpoint": {"min_ms": 400, "max_ms": 1200}, "listen": {}}
    answer = await client.put(f"{AT}/settings", json=given)
    assert answer.json()["own"]["endpoint"]["min_ms"] == 400
    given["endpoint"] = {"min_ms": 3000, "max_ms": 1000}
    answer = await client.put(f"{AT}/settings", json=given)
    assert (answer.status_code, problem(answer)) == (422, "bad_endpoint")
    kept = (await client.get(f"{AT}/settings")).json()
    assert (kept["own"]["endpoint"]["max_ms"], kept["usual"]) == (1200, usual)


async def test_the_volume_of_a_doll_that_is_away_cannot_be_set(client: httpx2.AsyncClient) -> None:
    answer = await client.put(f"{AT}/volume", json={"volume": 40})
    assert (answer.status_code, problem(answer)) == (409, "not_here")


async def test_the_recorder_is_on_for_a_time_and_off_again(
    client: httpx2.AsyncClient, dolls: Dolls
) -> None:
    await client.put(f"{AT}/recorder", json={"hours": 1})
    assert (await dolls.registry.find(DOLL)).recorder_until
    await client.put(f"{AT}/recorder", json={"hours": 0})
    assert (await dolls.registry.find(DOLL)).recorder_until is None
    assert (await client.put(f"{AT}/recorder", json={"hours": 1000})).status_code == 422


async def test_what_is_remembered_is_shown_changed_taken_along_and_deleted(
    client: httpx2.AsyncClient, dolls: Dolls
) -> None:
    said = [News(DOLL, Exchange(100 + n, f"질문 {n}", f"대답 {n}")) for n in range(35)]
    await dolls.memory.store.keep(said)
    facts = [{"text": "진주는 딸기를 좋아한다."}, {"text": "  "}, {"text": "생일은 3월 3일이다."}]
    kept = (await client.put(f"{AT}/facts", json={"facts": facts})).json()
    assert [fact["text"] for fact in kept["facts"]] == [facts[0]["text"], facts[2]["text"]]
    page = (await client.get(f"{AT}/turns")).json()
    assert [turn["heard"] for turn in page["turns"]] == [f"질문 {n}" for n in range(5, 35)]
    earlier = (await client.get(f"{AT}/turns?before={page['before']}")).json()
    assert (earlier["turns"][0]["said"], earlier["before"]) == ("대답 0", None)
    export = (await client.get(f"{AT}/memory.json")).json()
    assert (len(export["turns"]), len(export["facts"])) == (35, 2)
    first = earlier["turns"][0]["id"]
    assert (await client.delete(f"{AT}/turns/{first}")).status_code == 204
    assert (await client.delete(f"{AT}/turns/{first}")).status_code == 404
    await client.delete(f"{AT}/memory?keep_facts=true")
    left = (await client.get(f"{AT}/memory")).json()
    assert (left["turns"], len(left["facts"])) == (0, 2)


async def test_a_persona_is_kept_only_if_it_can_be_used(
    site: Site, client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    shipped = (await client.get("/api/personas/chacha")).json()["text"]
    mine = shipped.replace('name = "차차"', 'name = "모모"')
    answer = await client.put(
        "/api/personas/momo", json={"text": mine.replace("owner =", "ower =")}
    )
    assert (answer.status_code, problem(answer)) == (422, "bad_text")
    assert "momo.toml, line" in answer.json()["detail"]["values"]["why"]
    assert (await client.put("/api/personas/momo", json={"text": mine})).status_code == 204
    listed = {one["id"]: one for one in (await client.get("/api/personas")).json()}
    assert (listed["momo"]["name"], listed["momo"]["own"]) == ("모모", True)
    chosen = await client.patch(AT, json={"persona": "momo"})
    assert (chosen.status_code, chosen.json()["persona"]) == (200, "momo")
    assert (await client.delete("/api/personas/momo")).status_code == 204
    assert (await client.delete("/api/personas/chacha")).status_code == 404


@pytest.mark.parametrize("name", ["..%2Fdoll", "a.toml", "a%00"])
async def test_no_file_but_a_persona_is_read_or_written(
    client: httpx2.AsyncClient, name: str
) -> None:
    assert (await client.get(f"/api/personas/{name}")).status_code in (404, 422)
    assert (await client.put(f"/api/personas/{name}", json={"text": ""})).status_code in (404, 422)


async def test_a_persona_is_tried_before_it_is_saved_and_heard(
    site: Site, client: httpx2.AsyncClient
) -> None:
    text = (await client.get("/api/personas/chacha")).json()["text"]
    asked = {"text": text.replace("진주", "보라"), "say": "안녕?"}
    asked["before"] = [{"heard": "나야", "said": "왔어?"}]  # type: ignore[assignment]
    answer = (await client.post("/api/try", json=asked)).json()
    assert answer["said"] == "그건 나도 잘 모르겠어."
    (request,) = services_of(site).brain.tail.requests  # type: ignore[union-attr]
    assert (request.persona.owner, request.text, len(request.history)) == ("보라", "안녕?", 2)
    sound = await client.post("/api/listen", json={"text": answer["said"], "language": "ko"})
    assert (sound.headers["content-type"], sound.content[:4]) == ("audio/wav", b"RIFF")


def services_of(site: Site) -> Services:
    dolls: Dolls = site.app.state.dolls
    return dolls._services


async def _watch(site: Site, login: str) -> Any:
    """Events as a browser reads them; the test client would wait for the end of the answer."""

    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/live", "raw_path": b"/api/live", "query_string": b"",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("localhost", 8000),
        "headers": [(b"host", b"localhost:8000"), (b"cookie", f"doll={login}".encode())],
    }  # fmt: skip
    forever = asyncio.Event()
    begun = False

    async def receive() -> dict[str, Any]:
        nonlocal begun
        if begun:
            await forever.wait()
            return {"type": "http.disconnect"}
        begun = True
        return {"type": "http.request", "body": b"", "more_body": False}

    serving = asyncio.create_task(site.app(scope, receive, sent.put))
    try:
        assert (await sent.get())["status"] == 200
        while body := (await sent.get()).get("body"):
            event, data = re.fullmatch(rb"event: (\w+)\ndata: (.*)\n\n", body).groups()  # type: ignore[union-attr]
            yield event.decode(), json.loads(data)
        await serving
    finally:
        forever.set()
        await asyncio.wait((serving,))
