"""Finds what was answered to things like this in the chats that a persona has learned from."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from relay.llm.base import Request


async def with_near(request: Request) -> Request:
    """The request with `near`, looked up in a thread; as it is where its persona learned nothing.

    A model that hears does not know yet what was said: then it goes by what was said before.
    """
    before = (message.text for message in reversed(request.history) if message.role == "user")
    text = request.text or next(before, "")
    if request.persona.manner is None or not text:
        return request
    return replace(request, near=await asyncio.to_thread(request.persona.manner.nearest, text))
