"""The section of the settings."""

from __future__ import annotations

import pytest

from relay.config import ConfigError, load
from tests.fakes.telegram import TOKEN


def test_the_token_is_read_under_its_usual_name_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    settings = load(flags={"telegram": {"allowed": [42, "@Jinju", "77"]}})
    assert settings.telegram.token is not None
    assert settings.telegram.token.get_secret_value() == TOKEN
    assert settings.telegram.allowed == (42, "jinju", 77)
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("token", ["secret", "1:a/../../b" + "x" * 30, TOKEN + "\n"])
def test_what_is_no_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ConfigError, match=r"telegram\.token: must be a token") as caught:
        load(flags={"telegram": {"token": token}})
    assert token not in str(caught.value)
