"""What the bot does when Telegram does not give it the news."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from relay.telegram.api import Api, Kind, TelegramTrouble
from relay.telegram.settings import TelegramSettings
from tests.fakes import relay as fake_relay
from tests.fakes.telegram import OWNER, TOKEN, FakeTelegram


def settings(telegram: FakeTelegram) -> dict[str, object]:
    return {"token": TOKEN, "allowed": [OWNER], "api": telegram.url}


async def test_where_another_program_polls_the_relay_waits_for_its_end(
    telegram: FakeTelegram,
) -> None:
    telegram.others_poll = True
    async with fake_relay.running(telegram=settings(telegram)) as relay:
        await telegram.until(lambda: telegram.called("getUpdates"))
        assert relay.llm.requests == []
    assert len(telegram.called("getUpdates")) == 1  # it does not fight for them


async def test_no_text_of_an_error_leaves_the_api(telegram: FakeTelegram) -> None:
    telegram.token = "1:other"
    api = Api(TypeAdapter(TelegramSettings).validate_python(settings(telegram)))
    with pytest.raises(TelegramTrouble) as caught:
        await api.open({})
    await api.close()
    assert caught.value.kind is Kind.TOKEN
    assert TOKEN not in repr(caught.value) + str(caught.value.__cause__)
    assert caught.value.__suppress_context__
