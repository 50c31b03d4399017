"""Nothing of one doll is ever another's: not in the models' requests, the sound, or the log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection

from relay.audio import FRAME_SAMPLES, Pcm
from relay.config import Settings
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.persona import load
from relay.services import Services
from relay.turn.session import Session
from relay.wire.messages import Abort, Listen
from tests.fakes.connection import FRAME_S, FakeConnection
from tests.fakes.detector import LoudnessDetector
from tests.fakes.devices import a_device
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.relay import running
from tests.fakes.sockets import doll_socket
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech

DOLLS = 3

#: Each doll's owner has a voice of one loudness, and a secret. Its doll answers with the secret,
#: in a sound of one loudness: whatever is mixed up anywhere shows.
LOUDNESS = [4000, 8000, 16_000]
SECRETS = ["고래밥이야", "솜사탕이야", "달팽이야"]
PERSONAS = ["chacha", "chacha-en", ""]

SPEECH = [np.full(FRAME_SAMPLES, loudness, np.int16) for loudness in LOUDNESS]
for frame in SPEECH:
    frame[1::2] *= -1


def owners(text: object) -> set[int]:
    """Whose secrets are in it."""
    return {doll for doll, secret in enumerate(SECRETS) if secret in str(text)}


def hear(utterance: Pcm) -> str:
    voices = set(np.abs(utterance.astype(np.int32)).tolist()) - {0}
    assert len(voices) == 1, f"one utterance of several dolls: {voices}"
    return SECRETS[LOUDNESS.index(voices.pop())]


def answer(request: Request) -> Sequence[str]:
    return (f"그래, {request.text}. ", "알았어.")


class Voice(FakeTextToSpeech):
    """Speaks a text in the loudness of the doll whose secret it is; fixed lines softly."""

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        whose = owners(text)
        loudness = LOUDNESS[whose.pop()] if whose else 100
        async for chunk in super().speak(text, language, voice):
            yield np.full_like(chunk, loudness)


def shared() -> Services:
    return Services(
        settings=Settings(),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText(hear, delay_s=0.3),
        brain=Chain(tail=FakeLanguageModel(answer, first_delay_s=0.5)),
        tts=Voice(0.4, first_delay_s=0.2),
        persona=load("chacha"),
    )


class House:
    """Some dolls at one relay, each with a session of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.heard: list[list[Any]] = [[] for _ in range(DOLLS)]  # all that each doll was sent
        self.here: list[FakeConnection | None] = [None] * DOLLS
        self.sessions: list[asyncio.Task[None]] = []

    def doll(self, number: int) -> FakeConnection:
        """It connects if it is not here. All say the same of themselves but for their id."""
        found = self.here[number]
        if found is None:
            found = self.here[number] = FakeConnection(f"doll-{number}")
            device = a_device(self.services, f"doll-{number}", persona=PERSONAS[number])
            device.record = replace(device.record, name="차차", client_id="the-same")
            session = Session(found, self.services, device)  # type: ignore[arg-type]
            self.sessions.append(asyncio.create_task(session.run()))
            self.heard[number].append(found.sent)
        return found

    def leave(self, number: int) -> None:
        if (found := self.here[number]) is not None:
            found.vanish()
            self.here[number] = None

    async def close(self) -> None:
        for number in range(DOLLS):
            self.leave(number)
        await asyncio.gather(*self.sessions)


_STEP = st.tuples(
    st.integers(0, DOLLS - 1),
    st.sampled_from(["ask", "ask", "ask", "hands-free", "abort", "leave"]),
    st.sampled_from([0.0, 0.03, 0.3, 0.7, 2.0]),  # seconds to the next step
)


async def step(house: House, number: int, what: str) -> None:
    doll = house.doll(number)
    if what == "leave":
        house.leave(number)
    elif what == "abort":
        doll.say(Abort())
    elif what == "ask":
        doll.say(Listen(state="start", mode="manual"))
        await doll.speak(0.4, SPEECH[number])
        doll.say(Listen(state="stop"))
    else:
        doll.say(Listen(state="start", mode="realtime"))
        await doll.speak(0.6, SPEECH[number])
        await doll.speak(1.6, np.zeros_like(SPEECH[number]))


@pytest.mark.virtual_time
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_STEP, min_size=2, max_size=12))
async def test_interleaved_sessions_never_see_each_other(
    steps: list[tuple[int, str, float]],
) -> None:
    services = shared()
    house = House(services)
    with capture_logs() as logs:
        doing = []
        for number, what, pause_s in steps:
            doing.append(asyncio.create_task(step(house, number, what)))
            await asyncio.sleep(pause_s + FRAME_S)
        await asyncio.gather(*doing)
        await asyncio.sleep(10)
        await house.close()

    model = services.brain.tail
    assert isinstance(model, FakeLanguageModel)
    for request in model.requests:
        (owner,) = owners(request.text)
        said = [message.text for message in request.history]
        assert owners(said) <= {owner}, "memory of another doll"
        assert owners(request.notes) <= {owner}
        assert request.persona == load(PERSONAS[owner] or "chacha"), "character of another doll"

    for number, lists in enumerate(house.heard):
        for sent in (sent for batch in lists for sent in batch):
            if isinstance(sent.what, np.ndarray):
                loud = set(np.abs(sent.what.astype(np.int32)).ravel().tolist())
                others = {LOUDNESS[other] for other in range(DOLLS) if other != number}
                assert not loud & others, "voice meant for another doll"
            else:
                assert owners(sent.what) <= {number}, "text meant for another doll"

    for line in logs:
        if whose := owners(line):
            assert line["log_level"] == "debug", "what is said is for debugging only"
            assert whose == {int(re.sub(r"\D", "", str(line["device"])))}


def test_what_one_doll_said_last_is_not_what_another_did() -> None:
    services = shared()
    one, other = a_device(services, "one"), a_device(services, "other")
    variants = ["a", "b"]
    for _ in range(20):
        before = other._last_line.get("x")
        one.choose("x", variants)
        assert other._last_line.get("x") == before


async def test_a_pause_that_one_speaker_makes_is_not_learned_for_another() -> None:
    services = shared()
    assert services.pauses.of("one") is not services.pauses.of("other")
    assert services.pauses.of("one") is services.pauses.of("one")


####################################################################################################
# The peers' mix-up: one memory for the whole server, overwritten by whoever connected last.


@asynccontextmanager
async def connected(url: str, token: str, device: str, **hello: Any) -> Any:
    headers = {"Device-Id": device, "Client-Id": "one-and-the-same", "Authorization": token}
    params = {"format": "pcm", "sample_rate": 16_000, "frame_duration": 32}
    first = {"type": "hello", "audio_params": params, **hello}
    async with doll_socket(url, headers) as socket:
        await socket.send(json.dumps(first))
        yield socket, json.loads(await socket.recv())


async def ask(socket: ClientConnection, number: int, session_id: str) -> None:
    start = {"type": "listen", "state": "start", "mode": "manual", "session_id": session_id}
    await socket.send(json.dumps(start))
    for _ in range(20):
        await socket.send(SPEECH[number].tobytes())
    await socket.send(json.dumps({**start, "state": "stop"}))
    async with asyncio.timeout(10):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message).get("state") == "stop":
                return


async def test_two_devices_with_one_client_id_and_one_session_id_have_two_memories() -> None:
    """Device B read what device A had said, and B's id took A's memory over."""
    async with running() as relay:
        relay.services.stt = FakeSpeechToText(hear)
        relay.llm.pieces = answer
        relay.tts.seconds_per_clause = 0.1
        tokens = [f"Bearer {await relay.token(name)}" for name in ("device-a", "device-b")]
        async with (
            connected(relay.url, tokens[0], "device-a") as (a, hello_a),
            connected(relay.url, tokens[1], "device-b") as (b, _),
        ):
            for _ in range(2):
                await ask(a, 0, hello_a["session_id"])
                await ask(b, 1, hello_a["session_id"])  # as if it were A's
        of_a = [request for request in relay.llm.requests if SECRETS[0] in request.text]
        of_b = [request for request in relay.llm.requests if SECRETS[1] in request.text]
        assert [owners(request.history) for request in of_a] == [set(), {0}]
        assert [owners(request.history) for request in of_b] == [set(), {1}]


async def test_a_device_cannot_take_anothers_place_with_its_own_token() -> None:
    async with running() as relay:
        await relay.token("device-a")
        b = f"Bearer {await relay.token('device-b')}"
        async with connected(relay.url, b, "device-a") as (socket, _):
            alert = json.loads(await socket.recv())
            assert alert["type"] == "alert", "it is asked for a code, as any stranger"
            await socket.send(json.dumps({"type": "listen", "state": "detect", "text": "x"}))
        assert relay.dolls.is_here("device-a") is False
        assert relay.llm.requests == []
