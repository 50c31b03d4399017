"""settings.json: whatever is in it, the doll starts, and says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Micropython = Callable[..., str]

LOAD = """
import json
from doll import rules, settings
s = settings.load()
keys = [k for k in rules.KEYS]
print("=" + json.dumps({k: getattr(s, k) for k in keys}))
"""
DEFAULTS = {"relay": "ws://192.168.1.2:8000/xiaozhi/v1/", "volume": 70, "talk": "hold"}


def _load(micropython: Micropython) -> tuple[dict[str, Any], str]:
    """The settings as attributes, and the log."""
    log, _, values = micropython(LOAD).rpartition("=")
    return json.loads(values), log


def _has(values: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return {key: values[key] for key in wanted} == wanted


def test_without_a_file_the_defaults_hold(micropython: Micropython) -> None:
    values, log = _load(micropython)
    assert _has(values, DEFAULTS)
    assert log == ""


def test_a_good_file_is_used_and_kept_as_the_last_good_one(
    micropython: Micropython, tmp_path: Path
) -> None:
    wanted = {"volume": 12, "talk": "tap", "wifi": [{"ssid": "home", "password": "비밀번호1"}]}
    (tmp_path / "settings.json").write_text(json.dumps(wanted), encoding="utf-8")
    values, log = _load(micropython)
    assert _has(values, wanted)
    assert log == ""
    assert json.loads((tmp_path / "settings.good.json").read_text(encoding="utf-8")) == wanted


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b'"x"', b"\x00\xff\xfe", b'{"volume": 12', b" " * 9000]
)
def test_a_damaged_file_falls_back_to_the_last_good_one(
    micropython: Micropython, tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / "settings.good.json").write_text('{"volume": 33}')
    (tmp_path / "settings.json").write_bytes(damage)
    values, log = _load(micropython)
    assert values["volume"] == 33
    assert log.startswith("[doll] E settings settings.json: is ")
    assert (tmp_path / "settings.json").read_bytes() == damage


def test_two_damaged_files_give_the_defaults(micropython: Micropython, tmp_path: Path) -> None:
    for name in ("settings.json", "settings.good.json"):
        (tmp_path / name).write_text("}{")
    values, _ = _load(micropython)
    assert _has(values, DEFAULTS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("volume", 101),
        ("volume", -1),
        ("volume", "loud"),
        ("volume", True),
        ("volume", 3.5),
        ("relay", "http://x"),
        ("relay", None),
        ("relay", "ws://x\r\nX: y"),
        ("talk", "shout"),
        ("board", "../main"),
        ("board", ""),
        ("wifi", {"ssid": "x"}),
        ("wifi", [{"password": "x"}]),
        ("wifi", [{"ssid": ""}]),
        ("wifi", [{"ssid": "x" * 33}]),
        ("wifi", [{"ssid": "가" * 11}]),  # 33 bytes
        ("language", "de"),
        ("token", "a\nb"),
        ("insecure", "yes"),
        ("buffer_ms", 0),
        ("light", 0),
        ("log", 1),
    ],
)
def test_a_wrong_value_gives_way_to_the_last_good_one_and_is_named(
    micropython: Micropython, tmp_path: Path, key: str, value: object
) -> None:
    good = {"volume": 33, "relay": "ws://good/", "talk": "free", "board": "esp32"}
    good |= {"wifi": [{"ssid": "good"}], "token": "good", "insecure": True}
    good |= {"buffer_ms": 64, "light": 9, "log": "debug", "language": "ko"}
    (tmp_path / "settings.good.json").write_text(json.dumps(good))
    (tmp_path / "settings.json").write_text(json.dumps({**good, key: value}))
    values, log = _load(micropython)
    assert _has(values, good)
    assert f"[doll] E settings {key} must be " in log
    assert json.loads((tmp_path / "settings.good.json").read_text()) == good


def test_an_unknown_key_is_told_and_survives_a_change(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"colour": "red", "volume": 1}')
    log = micropython("""
from doll import rules, settings
s = settings.load()
assert s.change("volume", 55)
assert s.volume == 55
""")
    assert "[doll] W settings colour is not known" in log
    assert json.loads((tmp_path / "settings.json").read_text()) == {"colour": "red", "volume": 55}


@pytest.mark.parametrize("content", ["{", '{"volume": 900}'])
def test_a_file_with_faults_is_left_for_its_owner(
    micropython: Micropython, tmp_path: Path, content: str
) -> None:
    (tmp_path / "settings.json").write_text(content)
    log = micropython("""
from doll import rules, settings
s = settings.load()
print(s.change("volume", 55), s.volume)
""")
    assert log.endswith("\nFalse 55\n")
    assert (tmp_path / "settings.json").read_text() == content


def test_a_change_that_is_not_allowed_is_refused(micropython: Micropython) -> None:
    assert (
        micropython("""
from doll import rules, settings
s = settings.load()
try:
    s.change("volume", 101)
except ValueError as e:
    print(e)
print(s.volume)
""")
        == "volume\n70\n"
    )


def test_several_settings_are_saved_at_once_or_not_at_all(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"board": "esp32", "volume": 1}')
    output = micropython("""
from doll import rules, settings
s = settings.load()
try:
    s.save({"volume": 20, "talk": "shout"})
except ValueError as e:
    print(e, s.volume)
print(s.save({"volume": 20, "talk": "tap"}), s.volume, s.talk, s.board)
""")
    assert output == "talk 1\nTrue 20 tap esp32\n"
    for name in ("settings.json", "settings.good.json"):
        stored = json.loads((tmp_path / name).read_text())
        assert stored == {"board": "esp32", "volume": 20, "talk": "tap"}


@pytest.mark.parametrize("content", ["{", '{"volume": 900}'])
def test_what_the_owner_saves_replaces_a_file_with_faults(
    micropython: Micropython, tmp_path: Path, content: str
) -> None:
    (tmp_path / "settings.json").write_text(content)
    script = "from doll import settings\nprint(settings.load().save({'volume': 5}))"
    assert micropython(script).endswith("True\n")
    assert json.loads((tmp_path / "settings.json").read_text()) == {"volume": 5}


def test_a_reset_leaves_the_board_alone(micropython: Micropython, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"board": "esp32", "token": "t", "mine": 1}')
    micropython("from doll import settings\nsettings.reset(settings.load())")
    for name in ("settings.json", "settings.good.json"):
        assert json.loads((tmp_path / name).read_text()) == {"board": "esp32"}


def test_a_reset_forgets_the_settings_even_on_a_full_flash(
    micropython: Micropython, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text('{"token": "t0ken"}')
    (tmp_path / "settings.good.json").write_text('{"token": "t0ken"}')
    (tmp_path / "settings.json.new").mkdir()  # so it cannot be written
    (tmp_path / "settings.good.json.new").mkdir()
    micropython("from doll import settings\nsettings.reset(settings.load())")
    assert not (tmp_path / "settings.json").exists()
    assert not (tmp_path / "settings.good.json").exists()


def test_no_password_or_token_reaches_the_log(micropython: Micropython, tmp_path: Path) -> None:
    wrong = {"token": "hunter2\n", "wifi": [{"ssid": "home", "password": "hunter2" * 10}]}
    (tmp_path / "settings.json").write_text(json.dumps(wrong))
    _, log = _load(micropython)
    assert "settings token must be" in log
    assert "hunter2" not in log


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_keys = st.sampled_from(["board", "wifi", "relay", "token", "talk", "volume", "light", "ca", "x"])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(_keys, _json))
def test_any_json_object_gives_settings_of_the_right_types(
    micropython: Micropython, tmp_path: Path, content: dict[str, Any]
) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "settings.good.json").unlink(missing_ok=True)
    values, _ = _load(micropython)
    assert isinstance(values["relay"], str)
    assert values["relay"].startswith(("ws://", "wss://"))
    assert type(values["volume"]) is int
    assert 0 <= values["volume"] <= 100
    assert all(isinstance(place["ssid"], str) for place in values["wifi"])
