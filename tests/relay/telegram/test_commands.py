"""The commands of the chat, over real sockets."""

from __future__ import annotations

from relay import __version__
from tests.fakes import relay as fake_relay
from tests.fakes.telegram import OWNER, TOKEN, FakeTelegram

DOLL = "24:6f:28:00:00:01"


def running(telegram: FakeTelegram):  # type: ignore[no-untyped-def]
    settings = {"token": TOKEN, "allowed": [OWNER, 77], "api": telegram.url, "doll": DOLL}
    return fake_relay.running(telegram=settings)


async def test_an_instruction_counts_for_the_next_answer_until_it_is_reset(
    telegram: FakeTelegram,
) -> None:
    async with running(telegram) as relay:
        await relay.token(DOLL)
        telegram.write("/instruction set 너는 바다의 해적이야.")
        await telegram.until(telegram.texts)
        telegram.write("안녕")
        await telegram.until(lambda: len(telegram.texts()) == 2)
        assert relay.llm.requests[0].persona.character == "너는 바다의 해적이야."
        assert (await relay.registry.find(DOLL)).instruction == "너는 바다의 해적이야."
        telegram.write("/instruction")
        await telegram.until(lambda: "해적" in telegram.texts()[-1])
        telegram.write("/instruction reset")
        await telegram.until(lambda: len(telegram.texts()) == 4)
        telegram.write("안녕")
        await telegram.until(lambda: len(telegram.texts()) == 5)
        assert "해적" not in relay.llm.requests[1].persona.character


async def test_clearing_waits_for_a_press_and_forgets_for_good(telegram: FakeTelegram) -> None:
    async with running(telegram) as relay:
        await relay.token(DOLL)
        telegram.write("비밀이야")
        await telegram.until(telegram.texts)
        telegram.write("/clear")
        await telegram.until(lambda: len(telegram.texts()) == 2)
        telegram.press("모두", user=77)  # not who asked
        await telegram.until(lambda: telegram.called("answerCallbackQuery"))
        await relay.dolls.memory.flush()
        assert (await relay.dolls.memory.store.amount(DOLL)).turns == 1
        telegram.press("모두")
        await telegram.until(lambda: telegram.texts()[-1].startswith("✓"))
        assert (await relay.dolls.memory.store.amount(DOLL)).turns == 0
        telegram.write("뭐라고 했지?")
        await telegram.until(lambda: len(telegram.texts()) == 3)
        assert relay.llm.requests[-1].history == ()


async def test_the_history_is_paged(telegram: FakeTelegram) -> None:
    async with running(telegram) as relay:
        await relay.token(DOLL)
        for number in range(4):
            telegram.write(f"말 {number}")
            await telegram.until(lambda number=number: len(telegram.texts()) > number)
        telegram.write("/history 2")
        await telegram.until(lambda: len(telegram.texts()) == 5)
        assert "말 3" in telegram.texts()[-1]
        assert "말 1" not in telegram.texts()[-1]
        telegram.press("◀ 이전")
        await telegram.until(lambda: "말 1" in telegram.texts()[-1])
        assert "말 3" not in telegram.texts()[-1]
        telegram.press_data("history:9:99999999999999999999999999", telegram.order[-1])
        telegram.write("/version")
        await telegram.until(lambda: __version__ in telegram.texts()[-1])


async def test_the_menu_of_commands_is_there_in_both_languages(telegram: FakeTelegram) -> None:
    async with running(telegram):
        await telegram.until(lambda: telegram.called("getUpdates"))
        told = telegram.called("setMyCommands")
        assert [given.get("language_code", "") for given in told] == ["ko", ""]
