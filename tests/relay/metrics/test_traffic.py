from __future__ import annotations

import pytest

from relay.metrics.traffic import MOST_PER_REPORT, reported
from relay.services import Services
from relay.wire.codecs.pcm import PcmDecoder, PcmEncoder
from relay.wire.errors import WireError
from relay.wire.framing import framing
from relay.wire.intake import Intake
from relay.wire.limits import WireLimits
from relay.wire.messages import Report
from relay.wire.output import Output
from tests.fakes.connection import LOUD, FakeConnection
from tests.fakes.session import talking
from tests.relay.metrics.conftest import Grown


async def test_frames_are_counted_both_ways_and_texts_are_none(grown: Grown) -> None:
    intake = Intake(framing(1), PcmDecoder(), WireLimits(), 0.0)
    for _ in range(3):
        intake.take(LOUD.tobytes(), 1.0)
    intake.take('{"type": "abort"}', 1.0)
    with pytest.raises(WireError):
        intake.take(b"\0" * 100_000, 1.0)
    output = Output(PcmEncoder(), framing(1), "session")
    for _ in range(2):
        await output.audio(LOUD)
    output.block(b"firmware")
    assert grown("doll_frames_total", direction="in") == 3
    assert grown("doll_frames_total", direction="out") == 2


@pytest.mark.virtual_time
async def test_what_a_doll_reports_is_counted(services: Services, grown: Grown) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
        doll.say(Report(underruns=2, frames_lost=3, frames_dropped=5))
        doll.say(Report())
        await doll.ask()
        await doll.until_stop(2)
    assert grown("doll_reports_total") == 2
    assert grown("doll_underruns_total") == 2
    assert grown("doll_frames_lost_total", direction="out") == 3
    assert grown("doll_frames_lost_total", direction="in") == 5


def test_a_doll_that_reports_nonsense_does_not_drown_the_others(grown: Grown) -> None:
    reported(underruns=2**32, lost=2**32, dropped=2**32)
    assert grown("doll_underruns_total") == MOST_PER_REPORT
    assert grown("doll_frames_lost_total", direction="out") == MOST_PER_REPORT
