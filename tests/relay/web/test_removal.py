"""A doll that is removed on the owner's page leaves nothing in any file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from relay.dolls import Dolls
from relay.memory.records import Exchange, Fact
from relay.memory.store import News
from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording
from tests.relay.web.conftest import Site

DOLL, OTHER = "24:6f:28:00:00:01", "24:6f:28:00:00:02"
SECRETS = ("조개껍데기 비밀번호", "hidden oyster", DOLL)


async def fill(dolls: Dolls, recordings: Recordings) -> None:
    for device in (DOLL, OTHER):
        mine = device == DOLL
        await dolls.registry.issue(device)
        words = SECRETS[0] if mine else "남아 있는 말"
        await dolls.memory.store.keep([News(device, Exchange(1, words, words))])
        await dolls.memory.store.set_facts(device, [Fact(1, SECRETS[1] if mine else "a fact")])
        sound = Recording(device, 1_800_000_000.0, np.zeros(512, np.int16), 24_000)
        sound.transcript = words
        recordings.save(sound)


def found(folder: Path, text: str) -> list[str]:
    """The files that hold it, and those that are called so."""
    named = text.replace(":", "%3A")
    return [
        path.name
        for path in folder.rglob("*")
        if named in path.name or (path.is_file() and text.encode() in path.read_bytes())
    ]


async def test_nothing_of_it_is_left_in_any_file(site: Site) -> None:
    client = await site.signed_in()
    dolls: Dolls = site.app.state.dolls
    recordings = Recordings(site.data / "recordings", RecorderSettings())
    await fill(dolls, recordings)
    assert all(found(site.data, text) for text in SECRETS)
    assert (await client.delete(f"/api/devices/{DOLL}")).status_code == 204
    assert [found(site.data, text) for text in SECRETS] == [[], [], []]
    assert found(site.data, "남아 있는 말")
    assert len(recordings.list(OTHER)) == 1
    assert (await client.delete(f"/api/devices/{DOLL}")).status_code == 404
