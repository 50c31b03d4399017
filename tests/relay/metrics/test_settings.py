from __future__ import annotations

import pytest

from relay.config import ConfigError, Settings, load


@pytest.mark.parametrize(
    "token", ["", "short", "fifteen-letters", "with a space in it somewhere", "비밀" * 10]
)
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOLL_METRICS__TOKEN", token)
    with pytest.raises(ConfigError, match=r"metrics\.token: must be 16 letters") as error:
        load()
    assert not token or token not in str(error.value)


def test_a_token_is_not_shown_where_settings_are() -> None:
    settings = Settings(metrics={"token": "0123456789abcdef"})
    assert "0123456789abcdef" not in repr(settings)


def test_nothing_is_traced_unless_that_is_set() -> None:
    assert Settings().metrics.traces is False
    assert Settings().metrics.token is None
