"""Lets a doll in without a code: where the relay's database can be reached, the owner is there."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from relay.config import RelaySettings, Settings
from relay.devices.registry import Registry
from relay.persona import load
from relay.store.database import FILE, Database


def has_database(relay: RelaySettings) -> bool:
    """Whether a relay has run with these settings: it leaves its database."""
    return bool(relay.database_url) or (relay.data / FILE).is_file()


def is_here(relay_url: str) -> bool:
    """Whether this address of a relay is one of this machine. Asks no name server for a number."""
    host = urlsplit(relay_url).hostname or ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(_is_ours(address) for address in found)


def _is_ours(address: str) -> bool:
    """An address is this machine's if something can listen there."""
    plain = address.split("%")[0]
    if ipaddress.ip_address(plain).is_loopback:
        return True
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((plain, 0))
        except OSError:
            return False
    return True


async def issue(
    relay: RelaySettings, device_id: str, *, name: str = "", persona: str = "", suggestion: str = ""
) -> str:
    """A token for this doll, which is registered if it is new; any other of its tokens ends.

    Without a name a new doll is called after `suggestion`. Raises StoreError, RegistryError, or
    SQLAlchemyError.
    """
    async with opened(relay) as registry:
        return await registry.issue(device_id, name=name, persona=persona, suggestion=suggestion)


async def is_good(relay: RelaySettings, device_id: str, token: str) -> bool:
    """Whether the relay lets this doll in with this token. Raises as `issue` does."""
    async with opened(relay) as registry:
        return await registry.check(device_id, token) is not None


@asynccontextmanager
async def opened(relay: RelaySettings) -> AsyncIterator[Registry]:
    """The registry of the relay with these settings. Raises StoreError."""
    database = await Database.open(relay.data, relay.database_url)
    try:
        yield Registry(database)
    finally:
        await database.close()


def called(settings: Settings, persona: str = "") -> str:
    """What a doll is called that nobody names: as its character is. Raises PersonaError."""
    return load(persona or settings.persona.name, settings.personas_folder).name
