"""`doll pair` and `doll devices`, beside a relay that is not running and one that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relay.config import RelaySettings
from relay.devices.pairing import Pairing
from relay.devices.registry import Registry
from relay.devices.settings import PairingSettings
from relay.memory.records import Exchange
from relay.memory.store import MemoryStore, News
from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import FOLDER, Recordings
from relay.recorder.tape import Recording
from relay.store.database import Database
from tests.tools.devices.conftest import Run
from tools.pairing import issue, opened

DOLL = "24:6f:28:00:00:01"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "relay-data"


async def test_dolls_are_added_listed_changed_and_removed(doll: Run, data: Path) -> None:
    token = await issue(RelaySettings(data=data), "other", name="초코")
    code, output, errors = await doll("devices", "add", DOLL, "--name", "차차", data=data)
    assert (code, errors) == (0, "")
    added = output.strip()
    async with opened(RelaySettings(data=data)) as registry:
        assert await registry.check(DOLL, added) is not None
        assert await registry.check("other", token) is not None
    for arguments, said in (
        (("rename", "차차", "코코"), "코코"),
        (("persona", "코코", "chacha-en"), "chacha-en"),
        (("language", DOLL, "en"), "en"),
        (("instruction", DOLL, "Be a pirate."), "Be a pirate."),
        (("instruction", DOLL), "Be a pirate."),
        (("revoke", "초코"), "초코"),
    ):
        code, output, errors = await doll("devices", *arguments, data=data)
        assert (code, errors) == (0, "")
        assert said in output
    code, output, _ = await doll("devices", "list", data=data)
    assert code == 0
    rows = {line.split()[0]: line for line in output.splitlines()[1:]}
    assert "chacha-en" in rows["코코"]
    assert "never yet" in rows["코코"]
    assert "sent away" in rows["초코"]
    assert added not in output
    assert (await doll("devices", "remove", "코코", "--yes", data=data))[0] == 0
    async with opened(RelaySettings(data=data)) as registry:
        assert [record.name for record in await registry.all()] == ["초코"]


async def test_a_doll_that_is_removed_leaves_nothing_in_any_file(doll: Run, data: Path) -> None:
    await issue(RelaySettings(data=data), DOLL, name="차차")
    database = await Database.open(data)
    await MemoryStore(database).keep([News(DOLL, Exchange(1, "비밀 조개", "hidden oyster"))])
    await database.close()
    sound = Recording(DOLL, 1_800_000_000.0, np.zeros(512, np.int16), 24_000)
    Recordings(data / FOLDER, RecorderSettings()).save(sound)
    assert (await doll("devices", "remove", "차차", "--yes", data=data))[0] == 0
    assert _files_with(data, b"hidden oyster") == _files_with(data, DOLL.encode()) == []


def _files_with(folder: Path, text: bytes) -> list[str]:
    """Those that hold it, and the folders that are called as the doll."""
    return [
        path.name
        for path in folder.rglob("*")
        if "24%3A6f" in path.name or (path.is_file() and text in path.read_bytes())
    ]


async def test_a_code_is_confirmed_for_a_doll_that_is_not_connected(doll: Run, data: Path) -> None:
    database = await Database.open(data)
    registry = Registry(database)
    pairing = Pairing(database, registry, PairingSettings())
    pending = await pairing.begin(DOLL, "uuid", "192.0.2.1")
    code, output, errors = await doll("pair", pending.code, "--persona", "chacha-en", data=data)
    assert (code, errors) == (0, "")
    assert "ChaCha is confirmed, but it is not here just now" in output
    assert (await registry.find("ChaCha")).persona == "chacha-en"
    assert await pairing.deliver(pending.ticket) is not None
    await database.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pair", "123456"), "No doll says this number"),
        (("pair", "123456", "--persona", "nobody"), "There is no persona 'nobody'"),
        (("devices", "revoke", "nobody"), "There is no doll nobody"),
        (("devices", "language", "차차", "tlh"), "no words in tlh"),
        (("devices", "rename", "차차", "초코"), "There is a doll called 초코 already"),
        (("devices", "add", "a b"), "A doll's id has 1 to 64"),
    ],
)
async def test_what_cannot_be_is_said_in_one_line(
    doll: Run, data: Path, arguments: tuple[str, ...], said: str
) -> None:
    for device_id, name in ((DOLL, "차차"), ("other", "초코")):
        await issue(RelaySettings(data=data), device_id, name=name)
    code, output, errors = await doll(*arguments, data=data)
    assert code == 1
    assert said in errors
    assert errors.startswith("doll ")
    assert len(errors.splitlines()) == 1
    assert output == ""


def is_there(path: Path) -> bool:
    return path.exists()


async def test_where_no_relay_has_run_it_says_where_to_go(doll: Run, data: Path) -> None:
    code, _, errors = await doll("devices", "list", data=data)
    assert code == 1
    assert "relay-data/doll.db" in errors
    assert not is_there(data), "it makes nothing"


async def test_it_speaks_korean(doll: Run, data: Path) -> None:
    await (await Database.open(data)).close()
    code, output, _ = await doll("devices", "list", data=data, language="ko_KR")
    assert code == 0
    assert "아직 인형이 없어요" in output
