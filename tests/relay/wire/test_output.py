"""What is made of messages and samples, and when."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay.wire.codecs import make_encoder
from relay.wire.framing import framing
from relay.wire.messages import AudioParams, Tts
from relay.wire.output import SETTLE_S, Output

pytestmark = pytest.mark.virtual_time


def output(audio_format: str, version: int = 1) -> Output:
    frame_ms = 60 if audio_format == "opus" else 32
    encoder = make_encoder(AudioParams(audio_format, 16_000, 1, frame_ms))
    return Output(encoder, framing(version), "s")


async def packet(made: Output) -> bytes:
    return await made.audio(np.zeros(made.encoder.frame_samples, np.int16))


async def test_a_stock_board_has_a_moment_between_tts_start_and_the_first_packet() -> None:
    """It empties its buffer in another task: what comes right behind `tts start` is swallowed."""
    pytest.importorskip("opuslib_next")
    now = asyncio.get_running_loop().time
    made = output("opus")
    for _ in range(2):  # each reply anew
        began = now()
        made.message(Tts("start"))
        await packet(made)
        assert now() - began == pytest.approx(SETTLE_S)
        await packet(made)
        assert now() - began == pytest.approx(SETTLE_S)  # only the first


async def test_the_moment_costs_nothing_where_the_answer_takes_longer_anyway() -> None:
    pytest.importorskip("opuslib_next")
    now = asyncio.get_running_loop().time
    made = output("opus")
    made.message(Tts("start"))
    await asyncio.sleep(0.5)
    began = now()
    await packet(made)
    assert now() == began


async def test_a_doll_of_ours_takes_messages_in_order_and_needs_no_moment() -> None:
    now = asyncio.get_running_loop().time
    made = output("adpcm")
    began = now()
    made.message(Tts("start"))
    await packet(made)
    assert now() == began


async def test_the_position_in_the_reply_is_in_the_header_of_version_2() -> None:
    pytest.importorskip("opuslib_next")
    made = output("opus", 2)
    made.message(Tts("start"))
    stamps = [framing(2).unpack(await packet(made)).timestamp_ms for _ in range(3)]
    assert stamps == [0, 60, 120]
    made.message(Tts("start"))
    assert framing(2).unpack(await packet(made)).timestamp_ms == 0
