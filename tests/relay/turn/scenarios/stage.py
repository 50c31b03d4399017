"""Plays a scenario: a doll, its room and its owner, in virtual time.

A `.scene` file has scenarios, one step a line:

    scenario NAME
      given brain slow S | stt slow S | voice slow S | brain fails KIND | stt fails | voice fails
            | answer TEXT | clauses S | by name | volume N | early off
            | cloud | no quota | no spare quota
      listen auto | manual | realtime      the doll opens its microphone
      release                              and closes it
      say TEXT                             somebody speaks, in TEMPO_S a letter
      quiet S | noise S                    the microphone hears nothing, or what is no voice
      cough                                the microphone hears a moment of voice without a word
      wait S                               it is off
      abort [REASON] | wake TEXT           the doll interrupts; it has heard its wake word
      until sound | until stop [N]         what the doll has got so far, at most PATIENCE_S from now
      expect asked TEXT                    the newest request to a brain is this
      expect requests N                    how many there were, all brains together
      expect says TEXT | not says TEXT     a subtitle holds this
      expect line KEY                      the newest subtitle is this line of the locale
      expect silent                        no sound since the last `expect`
      expect remembers LINE | forgets TEXT what the conversation holds now
      expect stops N | state NAME | volume N | spent N | heard TEXT

What the recogniser hears is what was said: each `say` is a tone of its own loudness.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs

from relay.audio import FRAME_SAMPLES, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.llm.local.text import has_hangul
from relay.persona.wording import wordings
from relay.services import Services
from relay.turn.session import Session
from relay.wire.messages import Abort, Features, Listen, Mcp
from tests.fakes.cloud import Cloud
from tests.fakes.connection import QUIET, FakeConnection
from tests.fakes.session import talking

TEMPO_S = 0.12
PATIENCE_S = 60.0

_FIRST_PEAK = 6_000
_STEP = 50


@dataclass(frozen=True)
class Scenario:
    """One of a file."""

    name: str
    steps: tuple[str, ...]


def read(path: Path) -> list[Scenario]:
    """All scenarios of a file."""
    found: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        step = line.partition("#")[0].strip()
        if step.startswith("scenario "):
            found.append((step.removeprefix("scenario "), []))
        elif step:
            found[-1][1].append(step)
    return [Scenario(name, tuple(steps)) for name, steps in found]


@dataclass
class Stage:
    """Everybody who plays."""

    services: Services
    doll: FakeConnection = field(default_factory=FakeConnection)
    session: Session | None = None
    cloud: Cloud | None = None
    said: list[str] = field(default_factory=list)
    seen: int = 0  # frames that were there at the last `expect`
    own: dict[str, object] = field(default_factory=dict)
    volume: int | None = None
    tools: asyncio.Task[None] | None = None

    async def play(self, scenario: Scenario) -> None:
        """All its steps; raises AssertionError where one is not as expected."""
        self.services.stt.text = self._hears
        async with AsyncExitStack() as stack:
            for step in scenario.steps:
                verb, _, rest = step.partition(" ")
                if verb != "given" and self.session is None:
                    self.session = await stack.enter_async_context(
                        talking(self.services, self.doll, **self.own)
                    )
                    if self.volume is not None:
                        self.tools = asyncio.create_task(self._answer_calls())
                        stack.callback(self.tools.cancel)
                await getattr(self, f"_{verb}")(rest)

    # The room.

    async def _given(self, what: str) -> None:
        services = self.services
        match what.split(maxsplit=2):
            case ["brain", "slow", seconds]:
                services.brain.tail.first_delay_s = float(seconds)
                for model in self.cloud.models if self.cloud else ():
                    model.first_delay_s = float(seconds)
            case ["stt", "slow", seconds]:
                services.stt.delay_s = float(seconds)
            case ["voice", "slow", seconds]:
                services.tts.first_delay_s = float(seconds)
            case ["clauses", seconds]:
                services.tts.seconds_per_clause = float(seconds)
            case ["answer", *words]:
                pieces = [f"{word} " for word in " ".join(words).split()]
                services.brain.tail.pieces = pieces
                for model in self.cloud.models if self.cloud else ():
                    model.parts = pieces
            case ["by", "name"]:
                self.own["listen"] = {"by_name": True}
            case ["cloud"]:
                self.cloud = Cloud.over(services)
            case ["no", "quota"]:
                assert self.cloud is not None
                self.cloud.exhausted()
            case ["no", "spare", "quota"]:
                assert self.cloud is not None
                self.cloud.quota.spare = False
            case ["brain", "fails", kind]:
                services.brain.tail.error = ProviderError(ErrorKind(kind), "as the scene says")
            case ["voice", "fails"]:
                services.tts.error = ProviderError(ErrorKind.NETWORK, "no voice")
            case ["stt", "fails"]:
                services.stt.error = ProviderError(ErrorKind.SERVER, "no ear")
            case ["volume", level]:
                self.volume = int(level)
                self.doll.hello = structs.replace(self.doll.hello, features=Features(mcp=True))
            case ["early", "off"]:
                turn = replace(services.settings.turn, early_answer=False)
                services.settings = services.settings.model_copy(update={"turn": turn})
            case _:
                raise ValueError(what)

    def _hears(self, utterance: Pcm) -> str:
        """The texts whose tones are in it, in their order."""
        peaks = utterance[: len(utterance) // 16 * 16].reshape(-1, 16).max(axis=1)
        numbers = [(int(peak) - _FIRST_PEAK) // _STEP for peak in peaks if peak >= _FIRST_PEAK]
        return " ".join(self.said[number] for number in dict.fromkeys(numbers))

    async def _answer_calls(self) -> None:
        """The doll's tools."""
        answered = 0
        while True:
            await asyncio.sleep(0.02)
            calls = [sent.what.payload for sent in self.doll.sent if isinstance(sent.what, Mcp)]
            for call in calls[answered:]:
                result = self._result(call["method"], call["params"])
                self.doll.say(Mcp({"jsonrpc": "2.0", "id": call["id"], "result": result}))
            answered = len(calls)

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method != "tools/call":
            level = {"volume": {"type": "integer", "minimum": 0, "maximum": 100}}
            names = {"self.get_device_status": {}, "self.audio_speaker.set_volume": level}
            return {
                "tools": [
                    {"name": name, "inputSchema": {"properties": given, "required": list(given)}}
                    for name, given in names.items()
                ]
            }
        if params["name"] == "self.get_device_status":
            text = json.dumps({"audio_speaker": {"volume": self.volume}})
        else:
            self.volume, text = params["arguments"]["volume"], "true"
        return {"content": [{"type": "text", "text": text}], "isError": False}

    # The owner and the doll.

    async def _listen(self, mode: str) -> None:
        self.doll.say(Listen(state="start", mode=mode))

    async def _release(self, _: str) -> None:
        self.doll.say(Listen(state="stop"))

    async def _say(self, text: str) -> None:
        self.said.append(text)
        self.services.stt.language = "ko" if has_hangul(text) else "en"
        frame = np.full(FRAME_SAMPLES, _FIRST_PEAK + _STEP * (len(self.said) - 1), np.int16)
        frame[1::2] *= -1
        await self.doll.speak(max(0.5, TEMPO_S * len(text)), frame)

    async def _cough(self, _: str) -> None:
        await self.doll.speak(0.1, np.full(FRAME_SAMPLES, 5_000, np.int16))

    async def _quiet(self, seconds: str) -> None:
        await self.doll.speak(float(seconds), QUIET)

    async def _noise(self, seconds: str) -> None:
        hiss = np.resize(np.array([300, -280, 150, -310], np.int16), FRAME_SAMPLES)
        await self.doll.speak(float(seconds), hiss)

    async def _wait(self, seconds: str) -> None:
        await asyncio.sleep(float(seconds))

    async def _abort(self, reason: str) -> None:
        self.doll.say(Abort(reason=reason))
        await asyncio.sleep(0)

    async def _wake(self, text: str) -> None:
        self.doll.say(Listen(state="detect", text=text))
        await asyncio.sleep(0)

    async def _until(self, what: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            match what.split():
                case ["sound"]:
                    await self.doll.until_frame(self.seen + 1)
                case ["stop", *count]:
                    await self.doll.until_stop(int(count[0]) if count else 1)
                case _:
                    raise ValueError(what)

    # What came of it.

    async def _expect(self, what: str) -> None:
        verb, _, rest = what.partition(" ")
        seen, self.seen = self.seen, len(self.doll.frames)
        requests = list(self.services.brain.tail.requests)
        for model in self.cloud.models if self.cloud else ():
            requests += model.requests
        texts = self.doll.texts
        match verb:
            case "asked":
                assert requests
                assert requests[-1].text == rest
            case "requests":
                assert len(requests) == int(rest), [request.text for request in requests]
            case "spent":
                assert self.cloud is not None
                assert len(self.cloud.quota.granted) == int(rest)
            case "says":
                assert any(rest in text for text in texts), texts
            case "not":
                assert not any(rest.removeprefix("says ") in text for text in texts), texts
            case "line":
                language = "en" if rest.endswith(" en") else "ko"
                key = rest.removesuffix(" en")
                lines = wordings(self.services.persona, key, language)
                assert texts
                assert any(fits(line, texts) for line in lines), (texts, lines)
            case "silent":
                assert len(self.doll.frames) == seen
            case "stops":
                assert self.doll.states.count("stop") == int(rest), self.doll.states
            case "state":
                assert self.session is not None
                assert self.session.state.name == rest
            case "volume":
                assert self.volume == int(rest)
            case "heard":
                assert self.doll.heard[-1:] == ([rest] if rest else [])
            case "remembers":  # a line of the conversation
                history = self.session.device.conversation.history() if self.session else ()
                assert any(rest == message.text for message in history), history
            case "forgets":
                history = self.session.device.conversation.history() if self.session else ()
                assert not any(rest in message.text for message in history), history
            case _:
                raise ValueError(what)


def fits(line: str, texts: list[str]) -> bool:
    """Whether the newest subtitle is (the end of) a line, whatever is filled in."""
    before, mark, behind = line.partition("{")
    if not mark:
        return line.endswith(texts[-1])
    end = behind.partition("}")[2]
    return texts[-1].startswith(before) or (bool(end) and texts[-1].endswith(end[-6:]))
