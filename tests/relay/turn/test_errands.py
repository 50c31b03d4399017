from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import structlog

from relay.devices.mcp import STATUS, VOLUME, Toolbox
from relay.devices.tools import ToolError
from relay.services import Services
from relay.turn.errands import Errands, Spoken
from tests.fakes.devices import a_device

pytestmark = pytest.mark.virtual_time

NOW = datetime(2026, 11, 23, 15, 20, tzinfo=ZoneInfo("Asia/Seoul"))


class FakeToolbox(Toolbox):
    """A doll with a volume, or one whose tool fails."""

    def __init__(self, volume: int | None, *, error: bool = False, tools: bool = True) -> None:
        async def nowhere(_: object) -> None: ...

        super().__init__(nowhere, structlog.get_logger(), (VOLUME,))
        self.volume, self.error, self.tools = volume, error, tools

    def __contains__(self, name: str) -> bool:
        return self.tools and name in (VOLUME, STATUS)

    async def status(self) -> dict[str, object]:
        return {} if self.volume is None else {"audio_speaker": {"volume": self.volume}}

    async def call_tool(self, name: str, arguments: object = None, **_: object) -> str:
        if self.error:
            raise ToolError("it does not answer")
        assert isinstance(arguments, dict)
        self.volume = arguments["volume"]
        return "true"


def errands(services: Services, toolbox: Toolbox | None = None) -> Errands:
    device = a_device(services)
    device.toolbox = toolbox
    return Errands(device, lambda: NOW)


async def said(errands: Errands, text: str, language: str = "ko") -> str:
    spoken = await errands.run(text, language)
    assert spoken is not None
    return spoken.text


@pytest.mark.parametrize(
    ("text", "language", "holds"),
    [
        ("지금 몇 시야?", "ko", "오후 세 시 이십 분"),
        ("오늘 며칠이야?", "ko", "십일월 이십삼일 월요일"),
        ("무슨 요일이야?", "ko", "월요일"),
        ("너 누구야?", "ko", "차차"),
        ("What time is it?", "en", "hree twenty in the afternoon"),
        ("What's the date today?", "en", "Monday, November twenty-third"),
        ("What day is it?", "en", "Monday"),
        ("Who are you?", "en", "ChaCha"),
    ],
)
async def test_it_tells_the_time_and_who_it_is(
    services: Services, text: str, language: str, holds: str
) -> None:
    answer = await said(errands(services), text, language)
    assert holds in answer
    assert not re.search(r"[{}]|\(이\)", answer)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("소리 키워 줘", 40, 60),
        ("소리 키워 줘", 95, 100),
        ("소리 줄여 줘", 40, 20),
        ("소리 줄여 줘", 25, 20),  # it can still be told to be louder
        ("볼륨 오십으로 해 줘", 10, 50),
        ("볼륨 최대로", 10, 100),
        ("소리 키워 줘", None, 80),
    ],
)
async def test_the_doll_s_own_tool_sets_the_volume(
    services: Services, text: str, before: int | None, after: int
) -> None:
    toolbox = FakeToolbox(before)
    await said(errands(services, toolbox), text)
    assert toolbox.volume == after


@pytest.mark.parametrize(
    "toolbox", [None, FakeToolbox(40, tools=False), FakeToolbox(40, error=True)]
)
async def test_where_that_cannot_be_done_it_says_so(
    services: Services, toolbox: Toolbox | None
) -> None:
    assert "버튼" in await said(errands(services, toolbox), "소리 키워 줘")


async def test_the_rest_is_told_in_the_language_that_it_was_in(services: Services) -> None:
    these = errands(services)
    these.rest.keep(("The second one stayed.",), "en", 0.0)
    assert await these.run("계속해 줘", "ko") == Spoken("The second one stayed.", "en", True)
    assert await these.run("계속해 줘", "ko") is None


async def test_what_it_cannot_do_is_the_brain_s(services: Services) -> None:
    these = errands(services)
    assert await these.run("고래는 얼마나 커?", "ko") is None
    assert await these.run("다시 말해 줘", "ko") is None  # nothing was said yet
    assert not these.needs_no_brain("고래는 얼마나 커?", "ko")
    assert these.needs_no_brain("차차야 지금 몇 시야?", "ko")


async def test_its_name_alone_is_answered_shortly(services: Services) -> None:
    spoken = await errands(services).run("저기 차차야!", "ko")
    assert spoken is not None
    assert len(spoken.text) < 12
    assert not spoken.remembered
