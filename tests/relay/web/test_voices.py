"""Voices over HTTP: what there is, how it sounds, and which one a doll has."""

from __future__ import annotations

import httpx2
import pytest

from relay.devices.device import Device
from relay.dolls import Dolls
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import shelf_with
from tests.relay.web.conftest import Site

DOLL = "24:6f:28:00:00:01"
AT = f"/api/devices/{DOLL}"


@pytest.fixture
async def client(site: Site) -> httpx2.AsyncClient:
    found = await site.signed_in()
    await site.app.state.dolls.registry.issue(DOLL)
    return found


def tts_of(site: Site) -> FakeTextToSpeech:
    dolls: Dolls = site.app.state.dolls
    tts = dolls._services.tts
    assert isinstance(tts, FakeTextToSpeech)
    return tts


def problem(answer: httpx2.Response) -> str:
    return str(answer.json()["detail"]["problem"])


async def test_all_are_listed_with_what_they_say(site: Site, client: httpx2.AsyncClient) -> None:
    shelf = shelf_with(site.data)
    found = (await client.get(f"{AT}/voices")).json()
    assert [one["id"] for one in found["voices"]] == ["", "low", "high"] + [
        f"own:{name}" for name in shelf.names()
    ]
    assert (found["chosen"], found["persona"]) == ("", "")
    assert found["line"] == "왔어? 딱히 기다린 건 아니야."


async def test_a_voice_is_heard_once_made_with_the_doll_s_greeting(
    site: Site, client: httpx2.AsyncClient
) -> None:
    for _ in range(3):
        sound = await client.post(f"{AT}/voices/listen", json={"voice": "low"})
        assert (sound.headers["content-type"], sound.content[:4]) == ("audio/wav", b"RIFF")
    (call,) = tts_of(site).calls
    assert (call.text, call.language, call.voice) == ("왔어? 딱히 기다린 건 아니야.", "ko", "low")


async def test_it_cannot_be_used_to_burn_quota(site: Site, client: httpx2.AsyncClient) -> None:
    answers = []
    for number in range(20):  # another language is another line
        await client.patch(AT, json={"language": ("ko", "en")[number % 2]})
        voice = ("", "low", "high")[number % 3]
        answers.append(await client.post(f"{AT}/voices/listen", json={"voice": voice}))
    assert {answer.status_code for answer in answers} == {200}
    assert len(tts_of(site).calls) == 6
    free_text = {"voice": "low", "text": "anything"}
    assert (await client.post(f"{AT}/voices/listen", json=free_text)).status_code == 422
    del client.headers["x-csrf-token"]
    answer = await client.post(f"{AT}/voices/listen", json={"voice": "low"})
    assert problem(answer) == "csrf"


async def test_a_doll_speaks_with_the_one_that_is_chosen_for_it(
    site: Site, client: httpx2.AsyncClient
) -> None:
    dolls: Dolls = site.app.state.dolls

    async def voice() -> str:
        record = await dolls.registry.find(DOLL)
        return Device(record, None, dolls._services).voice  # type: ignore[arg-type]

    await client.put(f"{AT}/settings", json={"endpoint": {"min_ms": 400}})
    assert (await client.put(f"{AT}/voice", json={"voice": "high"})).status_code == 204
    assert (await voice(), (await client.get(f"{AT}/voices")).json()["chosen"]) == ("high", "high")
    kept = (await client.get(f"{AT}/settings")).json()["own"]["endpoint"]["min_ms"]
    assert kept == 400
    await client.put(f"{AT}/settings", json={"endpoint": {"min_ms": 500}})
    assert await voice() == "high"
    answer = await client.put(f"{AT}/voice", json={"voice": "nobody"})
    assert (answer.status_code, problem(answer)) == (404, "no_such_voice")
    await client.put(f"{AT}/voice", json={"voice": ""})
    assert await voice() == ""
