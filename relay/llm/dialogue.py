"""A request as the chat APIs of the field want it: a system prompt and alternating turns."""

from __future__ import annotations

from relay.llm import actions
from relay.llm.base import Message, Request
from relay.persona.prompt import Form, prompt


def system_prompt(request: Request, form: Form = "text") -> str:
    """Who the doll is, how it talks and answers, and what time it is."""
    if request.instructions:
        return request.instructions
    whole = prompt(
        request.persona, request.now, request.language, form, request.notes, request.near
    )
    if form != "text" and (tools := actions.usable(request.tools)):
        whole += "\n\n" + actions.instructions(tools, request.persona.language)
    return whole


def turns(request: Request) -> tuple[Message, ...]:
    """The history and what was just said, user first, never the same speaker twice in a row.

    Gemini and many chat templates refuse anything else, and an interrupted turn leaves a question
    without an answer, a greeting an answer without a question.
    """
    merged: list[Message] = []
    for message in (*request.history, Message("user", request.text)):
        if not message.text.strip() or (not merged and message.role == "assistant"):
            continue
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, f"{merged[-1].text}\n{message.text}")
        else:
            merged.append(message)
    return tuple(merged)
