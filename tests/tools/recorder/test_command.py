from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
import pytest

from relay.config import RelaySettings
from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import FOLDER, Recordings
from relay.recorder.tape import Recording
from tests.tools.devices.conftest import Run
from tools.pairing import issue, opened
from tools.recorder.command import seconds


async def test_it_is_on_for_a_while_and_off_at_once(doll: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    await issue(RelaySettings(data=data), "id-1", name="차차")
    code, output, errors = await doll("recorder", "on", "차차", "--for", "30m", data=data)
    assert (code, errors) == (0, "")
    assert "flashes white" in output
    async with opened(RelaySettings(data=data)) as registry:
        until = (await registry.find("차차")).recorder_until
        assert until is not None
        assert 1_700 < until - time.time() <= 1_800
    assert "차차 is recorded until" in (await doll("recorder", "list", data=data))[1]
    assert (await doll("recorder", "off", "차차", data=data))[0] == 0
    async with opened(RelaySettings(data=data)) as registry:
        assert (await registry.find("차차")).recorder_until is None


async def test_recordings_are_listed_and_deleted_and_go_with_their_doll(
    doll: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for device, name in (("id-1", "차차"), ("id-2", "코코")):
        await issue(RelaySettings(data=data), device, name=name)
    shelf = Recordings(data / FOLDER, RecorderSettings())
    for device in ("id-1", "id-2"):
        shelf.save(Recording(device, time.time(), np.zeros(16_000, np.int16), 16_000))
    output = (await doll("recorder", "list", data=data))[1]
    assert "차차" in output
    assert "32 KB" in output
    assert (
        "Deleted 1 recordings of 차차" in (await doll("recorder", "delete", "차차", data=data))[1]
    )
    assert [kept.device_id for kept in shelf.list()] == ["id-2"]
    assert (await doll("devices", "remove", "코코", "--yes", data=data))[0] == 0
    assert shelf.list() == []


def test_how_long_is_said_in_minutes_hours_or_days() -> None:
    assert [seconds(given) for given in ("30m", " 1H ", "30d")] == [1_800, 3_600, 2_592_000]
    for given in ("", "1", "0h", "-1h", "1.5h", "31d", "999999d", "1w", "٣h"):
        with pytest.raises(click.BadParameter):
            seconds(given)
