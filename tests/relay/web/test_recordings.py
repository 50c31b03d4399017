"""Recordings over HTTP."""

from __future__ import annotations

import httpx2
import numpy as np
import pytest

from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording
from tests.relay.web.conftest import Site

DOLL, OTHER = "24:6f:28:00:00:01", "24:6f:28:00:00:02"
AT = f"/api/devices/{DOLL}/recordings"


@pytest.fixture
def shelf(site: Site) -> Recordings:
    return Recordings(site.data / "recordings", RecorderSettings())


@pytest.fixture
async def client(site: Site) -> httpx2.AsyncClient:
    found = await site.signed_in()
    for device in (DOLL, OTHER):
        await site.app.state.dolls.registry.issue(device)
    return found


def record(shelf: Recordings, number: int = 0, device: str = DOLL) -> str:
    made = Recording(device, 1_800_000_000.0 + number, np.arange(512, dtype=np.int16), 24_000)
    made.answer = [np.ones(480, np.int16)] if number else []
    made.transcript, made.subtitles = f"질문 {number}", ["흥.", "왔어?"]
    return shelf.save(made).name


def problem(answer: httpx2.Response) -> str:
    return str(answer.json()["detail"]["problem"])


async def test_they_are_listed_the_newest_first_a_page_at_a_time(
    client: httpx2.AsyncClient, shelf: Recordings
) -> None:
    ids = [record(shelf, number) for number in range(23)]
    record(shelf, 99, OTHER)
    page = (await client.get(AT)).json()
    assert [one["id"] for one in page["recordings"]] == ids[:2:-1]
    assert (page["amount"], page["days"], page["until"]) == (23, 7, None)
    first = page["recordings"][0]
    assert (first["heard"], first["said"], first["answer"]) == ("질문 22", "흥. 왔어?", True)
    rest = (await client.get(f"{AT}?before={page['before']}")).json()
    assert [one["id"] for one in rest["recordings"]] == ids[2::-1]
    assert (rest["before"], rest["recordings"][-1]["answer"]) == (None, False)


async def test_a_sound_is_played_whole_and_in_parts(
    client: httpx2.AsyncClient, shelf: Recordings
) -> None:
    moment = record(shelf)
    whole = await client.get(f"{AT}/{moment}/question.wav")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.content[:4] == b"RIFF"
    assert len(whole.content) == 44 + 1024 == int(whole.headers["content-length"])
    part = await client.get(f"{AT}/{moment}/question.wav", headers={"range": "bytes=40-49"})
    assert (part.status_code, part.content) == (206, whole.content[40:50])
    assert part.headers["content-range"] == "bytes 40-49/1068"
    beyond = await client.get(f"{AT}/{moment}/question.wav", headers={"range": "bytes=5000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1068")
    many = {"range": "bytes=" + ",".join(f"{n}-{n}" for n in range(500))}
    assert (await client.get(f"{AT}/{moment}/question.wav", headers=many)).status_code == 200


async def test_one_and_all_are_deleted(client: httpx2.AsyncClient, shelf: Recordings) -> None:
    first, _ = record(shelf, 1), record(shelf, 2)
    record(shelf, 3, OTHER)
    assert (await client.delete(f"{AT}/{first}")).status_code == 204
    assert problem(await client.delete(f"{AT}/{first}")) == "no_recording"
    assert len(shelf.list(DOLL)) == 1
    assert (await client.delete(AT)).status_code == 204
    assert (shelf.list(DOLL), len(shelf.list(OTHER))) == ([], 1)


async def test_they_are_their_owner_s_and_belong_to_one_doll(
    site: Site, client: httpx2.AsyncClient, shelf: Recordings
) -> None:
    moment = record(shelf, 1, OTHER)
    sound = f"{AT}/{moment}/answer.wav"
    assert (await client.get(sound)).status_code == 404
    assert (await client.get(sound.replace(DOLL, OTHER))).status_code == 200
    stranger = await site.browser()
    for path in (AT, sound.replace(DOLL, OTHER)):
        assert (await stranger.get(path)).status_code == 401, path
    for path in (f"{AT}/..%2F..%2Fdoll/answer.wav", f"{AT}/{moment}/turn.wav", f"{AT}?before=x"):
        assert (await client.get(path)).status_code in (404, 422), path
