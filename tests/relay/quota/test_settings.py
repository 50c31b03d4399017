from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from relay.config import ConfigError, load


def test_the_defaults_need_no_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quota = load().quota
    assert (quota.waking_from, quota.waking_to) == (time(7), time(22))


def test_it_is_kept_in_the_relays_folder_wherever_the_relay_is_started(tmp_path: Path) -> None:
    there = {"relay": {"data": tmp_path}}
    assert load(None, there).ledgers.store == str(tmp_path / "quota.sqlite3")
    chosen = load(None, {**there, "quota": {"store": "memory"}})
    assert chosen.ledgers.store == "memory"


def test_limits_are_set_by_model(tmp_path: Path) -> None:
    file = tmp_path / "doll.toml"
    file.write_text(
        '[quota]\nstore = "redis://:secret@host/0"\nwaking_to = 23:30:00\n'
        '[quota.limits."gemini-3.5-flash-lite"]\n'
        'requests_per_minute = 1000\nrequests_per_day = "unlimited"\n',
        encoding="utf-8",
    )
    quota = load(file).quota
    limits = quota.limits["gemini-3.5-flash-lite"]
    assert (limits.requests_per_minute, limits.requests_per_day) == (1000, "unlimited")
    assert limits.tokens_per_minute is None
    assert quota.waking_to == time(23, 30)
    assert "secret" not in repr(quota)


@pytest.mark.parametrize(
    "text",
    [
        '[quota.limits."m"]\nrequests_per_minute = -1\n',
        '[quota.limits."m"]\nrequests_per_minute = "many"\n',
        '[quota.limits."m"]\nrequests_per_hour = 5\n',
        "[quota]\nkeep = 1.5\n",
        '[quota]\nwaking_from = "07:00+09:00"\n',
    ],
)
def test_what_cannot_be_is_told_with_the_setting_it_is_about(tmp_path: Path, text: str) -> None:
    file = tmp_path / "doll.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"quota\."):
        load(file)
