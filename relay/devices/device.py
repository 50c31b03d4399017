"""A doll as its session knows it: who it is, its character, and what it has talked about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import SecretStr

from relay.audio import Pcm
from relay.devices.mcp import Toolbox
from relay.devices.records import DeviceRecord
from relay.devices.sight import Sight
from relay.memory.conversation import Conversation
from relay.persona import Persona
from relay.persona.wording import wordings
from relay.recorder.sign import Sign
from relay.recorder.tape import Doll, Tape
from relay.services import Services
from relay.wire.messages import Report


class Device:
    """One for each session; nothing that it holds or gives is another doll's."""

    def __init__(self, record: DeviceRecord, token: SecretStr, services: Services) -> None:
        self.record = record  #: replaced when its owner changes something
        self.token = token  #: that it has shown; signs its updates
        self.takes_tokens = False  #: it can be sent a new one
        self.on_token: Callable[[bool], None] = _nobody_waits
        """Called when the doll says that it has stored a new token, or could not."""
        self.toolbox: Toolbox | None = None  #: what it can be asked to do, while it is connected
        self.sight: Sight | None = None  #: where it may show photos, if a brain can see them
        self.conversation = Conversation(services.settings.memory)  #: what was said with it
        self.answered_at: float | None = None  #: when it spoke last, in the loop's seconds
        self.sign: Sign | None = None  #: shows whether its turns are recorded
        self.tape: Callable[[Doll, Pcm | None], Tape | None] = _no_tape
        """What records a turn to this doll, of which the utterance is given; None: nothing does."""
        self.report: Report | None = None  #: the last one that it sent
        self.underruns = 0  #: times that its speaker ran dry since it came
        self.frames_lost = 0  #: that it got and did not play
        self._services = services
        self._last_line: dict[str, str] = {}

    def reported(self, report: Report) -> None:
        """It has told how the last answer was played."""
        self.report = report
        self.underruns += report.underruns or 0
        self.frames_lost += report.frames_lost or 0

    @property
    def id(self) -> str:
        """Its Device-Id."""
        return self.record.id

    @property
    def persona(self) -> Persona:
        """Its own, or the relay's; as the file is now, or as its owner's instruction has it."""
        persona = self._services.persona_of(self.record.persona)
        if isinstance(voice := self.record.settings.get("voice"), str) and voice:
            persona = replace(persona, voice=voice)  # which its owner has chosen on the page
        return persona.instructed(text) if (text := self.record.instruction) else persona

    @property
    def voice(self) -> str:
        """Its own or its persona's, as `TextToSpeech.speak` takes it; empty for the default."""
        return self.persona.voice

    @property
    def languages(self) -> tuple[str, ...]:
        """What it understands and speaks, its first language first."""
        languages = self.persona.languages
        first = self.record.language
        if not first:
            return languages
        return (first, *(language for language in languages if language != first))

    def line(self, key: str, language: str) -> str:
        """A fixed line in the persona's wording, else the shipped one; never twice in a row."""
        return self.choose(key, wordings(self.persona, key, language))

    def choose(self, key: str, variants: Sequence[str]) -> str:
        """One of some wordings of the same line: not the one that was said last."""
        fresh = [variant for variant in variants if variant != self._last_line.get(key)]
        self._last_line[key] = choice = random.choice(fresh or variants)  # noqa: S311
        return choice


def _no_tape(_doll: Doll, _question: Pcm | None) -> None:
    return None


def _nobody_waits(_: bool) -> None:
    pass
