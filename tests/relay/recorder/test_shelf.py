from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording

NOW = 1_800_000_000.0
DAY = 86_400
DOLL = "24:6f:28:00:00:01"


@pytest.fixture
def shelf(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "recordings", RecorderSettings(days=7, max_mb=1))


def recording(
    device: str = "24:6f:28:00:00:01", at: float = NOW, seconds: float = 0.5
) -> Recording:
    pcm = np.full(int(16_000 * seconds), 1000, np.int16)
    made = Recording(device, at, pcm, 24_000, [pcm[:480], pcm[:480]])
    made.transcript, made.subtitles = "안녕", ["흥.", "왔어?"]
    made.timeline_ms = {"first_audio": 420}
    return made


def test_a_turn_is_two_sounds_and_what_happened_when(shelf: Recordings, tmp_path: Path) -> None:
    folder = shelf.save(recording())
    assert folder == tmp_path / "recordings/24%3A6f%3A28%3A00%3A00%3A01/20270115T080000000Z"
    assert {file.name for file in folder.iterdir()} == {"question.wav", "answer.wav", "turn.json"}
    about = json.loads((folder / "turn.json").read_text())
    assert about == {
        "at": "2027-01-15T08:00:00.000+00:00",
        "device": "24:6f:28:00:00:01",
        "transcript": "안녕",
        "subtitles": ["흥.", "왔어?"],
        "since_speech_end_ms": {"first_audio": 420},
    }
    assert (folder / "answer.wav").stat().st_size == 44 + 2 * 960


def test_nobody_else_may_read_it(shelf: Recordings) -> None:
    umask = os.umask(0)
    try:
        folder = shelf.save(recording())
    finally:
        os.umask(umask)
    for path in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_where_there_was_no_speech_there_is_no_question(shelf: Recordings) -> None:
    made = recording()
    made.question, made.answer = None, []
    assert [file.name for file in shelf.save(made).iterdir()] == ["turn.json"]


def test_the_oldest_goes_when_there_is_no_room(shelf: Recordings) -> None:
    for number in range(8):  # 192 KB each, of 1 MB
        shelf.save(recording(f"doll-{number % 2}", NOW + number, seconds=6))
    kept = shelf.list()
    assert [item.at - NOW for item in kept] == [3, 4, 5, 6, 7]
    assert sum(item.size for item in kept) <= 1_000_000


def test_what_is_too_old_is_deleted(shelf: Recordings) -> None:
    shelf.save(recording("a", NOW - 8 * DAY))
    shelf.save(recording("a", NOW - 6 * DAY))
    assert shelf.expire(NOW) == 1
    assert [(item.device_id, item.at) for item in shelf.list()] == [("a", NOW - 6 * DAY)]


def test_those_of_one_doll_are_deleted(shelf: Recordings) -> None:
    for device in ("a", "b", "a/b", ".."):
        shelf.save(recording(device))
    assert shelf.delete("a") == 1
    assert shelf.delete("nobody") == 0
    assert {item.device_id for item in shelf.list()} == {"b", "a/b", ".."}


def test_what_was_never_finished_and_what_is_not_ours_is_no_recording(
    shelf: Recordings, tmp_path: Path
) -> None:
    home = tmp_path / "recordings" / "a"
    (home / "x.partial").mkdir(parents=True)
    (home / "notes").mkdir()
    (home / "20270115T080000000Z").write_text("a file")
    os.utime(home / "x.partial", (NOW - 2 * DAY, NOW - 2 * DAY))
    assert shelf.list() == []
    assert shelf.expire(NOW) == 0
    assert not (home / "x.partial").exists()
    assert (home / "notes").exists()


def test_a_turn_is_found_by_its_moment_and_only_with_its_own_doll(shelf: Recordings) -> None:
    folder = shelf.save(recording())
    shelf.save(recording("other"))
    (kept,) = shelf.list(DOLL)
    assert shelf.find(DOLL, folder.name) == kept
    assert kept.about()["transcript"] == "안녕"
    assert kept.sound("question") == folder / "question.wav"
    for moment in ("..", "20270115T080000001Z", "", "../other/20270115T080000000Z"):
        assert shelf.find(DOLL, moment) is None, moment
    for name in ("turn.json", "../x", "turn"):
        assert kept.sound(name) is None, name
    shelf.drop(kept.folder)
    assert (shelf.list(DOLL), len(shelf.list())) == ([], 1)
