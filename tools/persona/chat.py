"""`doll persona try`: a chat in the terminal, with the brain and the prompt of a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from relay.config import Settings
from relay.errors import ProviderError
from relay.languages import written_in
from relay.llm.base import Emotion, MemoryNote, Request
from relay.llm.chain import Chain
from relay.llm.events import Answering, Event, Outage
from relay.llm.policy import said
from relay.llm.providers import open_brain
from relay.memory.conversation import Conversation
from relay.persona import Persona
from relay.persona.personas import Personas
from relay.persona.wording import wordings
from relay.turn.when import when
from tools.devices.table import shown

console = Console(highlight=False, soft_wrap=True)

_ENDS = ("/quit", "/exit", "/q")


class Chat:
    """One conversation. What is typed goes where what a doll hears would go."""

    def __init__(
        self, settings: Settings, personas: Personas, name: str, say: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._personas = personas
        self._name = name
        self._say = say
        self._conversation = Conversation()

    def run(self) -> None:
        """Until the input ends, or /quit."""
        with asyncio.Runner() as runner:
            brain = runner.run(open_brain(self._settings))
            try:
                persona = self._persona()
                console.print(self._say["try"].format(brain=self._settings.brain), style="dim")
                greetings = persona.lines.get(persona.language, {}).get("greeting")
                if greetings:
                    console.print(f"{persona.name}: {greetings[0]}", markup=False)
                while (text := _read(self._say["you"])) is not None:
                    if text:
                        runner.run(self._turn(brain, text))
            finally:
                runner.run(brain.close())

    def _persona(self) -> Persona:
        """As its file is now: it may be edited meanwhile."""
        self._personas.of(self._name)
        self._personas.look()
        persona = self._personas.of(self._name)
        assert persona is not None  # it was loaded before, and its last good version counts
        return persona

    async def _turn(self, brain: Chain, text: str) -> None:
        persona = await asyncio.to_thread(self._persona)
        request = Request(
            persona=persona,
            history=self._conversation.history(),
            text=text,
            language=written_in(text, persona.languages),
            now=datetime.now(ZoneInfo(self._settings.persona.timezone)),
            notes=self._conversation.notes(),
        )
        answer = ""
        console.print(f"{persona.name}: ", end="", markup=False)
        try:
            async with aclosing(brain.answer(request, doll="try")) as events:
                async for event in events:
                    answer += self._take(event, request)
        except ProviderError as error:
            console.print(f"✗ {error.message}", style="red", markup=False, end="")
        console.print()
        self._conversation.add(text, answer)

    def _take(self, event: Event, request: Request) -> str:
        """Show one event; what of it is spoken."""
        match event:
            case str():
                console.print(shown(event), end="", markup=False)
                return event
            case Emotion(name):
                console.print(f"({name}) ", end="", style="dim", markup=False)
            case MemoryNote(text):
                self._conversation.note(text)
                console.print(f" [+ {shown(text)}]", end="", style="dim", markup=False)
            case Answering(outage=Outage(news=True) as outage):
                line = wordings(request.persona, said(outage.trouble), request.language)[0]
                back = when(outage.back_at, request.now, request.language)
                console.print(line.replace("{when}", back) + " ", end="", markup=False)
        return ""


def _read(prompt: str) -> str | None:
    """A line; None at the end."""
    try:
        text = input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        print()
        return None
    return None if text in _ENDS else text
