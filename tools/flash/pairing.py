"""The doll's token: the installer asks the relay for one, where the relay's data is at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from relay.config import load
from relay.devices.records import RegistryError
from relay.persona import PersonaError
from relay.store.database import StoreError
from tools.flash.person import Person
from tools.pairing import called, has_database, is_good, is_here, issue


def token_for(
    device_id: str, relay_url: str, values: Mapping[str, Any], person: Person, *, dry_run: bool
) -> str | None:
    """A token that lets the doll in, or None to keep what it has.

    Only the relay on this machine can be asked, through its database. A doll that gets none here
    says a code when it has reached its relay; so does one whose token does not count there.
    """
    settings = load()
    known = values.get("token")
    if not device_id or not is_here(relay_url) or not has_database(settings.relay):
        return None
    try:
        if isinstance(known, str) and asyncio.run(is_good(settings.relay, device_id, known)):
            return None
        if dry_run:
            person.say("would_pair")
            return None
        suggestion = called(settings)
        token = asyncio.run(issue(settings.relay, device_id, suggestion=suggestion))
    except (StoreError, RegistryError, PersonaError, SQLAlchemyError) as error:
        person.say("not_paired", detail=str(error).splitlines()[0])
        return None
    person.say("paired")
    return token
