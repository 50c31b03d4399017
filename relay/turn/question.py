"""What a brain is asked: what was just said, by whom, to whom, and after what."""

from __future__ import annotations

from datetime import datetime

from relay.devices.device import Device
from relay.llm.base import Request


def question(device: Device, text: str, language: str, now: datetime) -> Request:
    """The request for an answer of this doll; `text` is empty where the brain hears by itself."""
    conversation = device.conversation
    return Request(
        persona=device.persona,
        history=conversation.history(),
        text=text,
        language=language,
        now=now,
        notes=conversation.notes(),
        tools=device.toolbox.offered() if device.toolbox else (),
    )
