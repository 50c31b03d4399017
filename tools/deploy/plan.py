"""What the files hold: templates filled with names that were checked first. Sans-I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from string import Template

#: A name that a certificate can be had for: labels of letters, digits and inner hyphens, two or
#: more, the last of them no number (RFC 1123; what is not ASCII comes as its punycode).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
#: Nothing that systemd, Caddy or a shell reads as more than a part of a path.
_PATH = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+")
MAX_DOMAIN = 253

#: `cloud`: Gemini hears in the request that it answers, so one free key is all there is to get.
_PROVIDERS = {
    "cloud": {"brain": "gemini", "ear": "gemini", "voice": "edge"},
    "embedded": {"brain": "auto", "ear": "whisper", "voice": "kokoro"},
}
FLAVOURS = tuple(_PROVIDERS)
_MEMORY_MB = {"cloud": 400, "embedded": 1600}


class PlanError(ValueError):
    """`key` names a text of `texts.toml`, `value` what was wrong."""

    def __init__(self, key: str, value: str) -> None:
        super().__init__(key)
        self.key = key
        self.value = value


@dataclass(frozen=True, slots=True)
class File:
    """A file for the server. `secret`: the owner writes keys into it, so it is never replaced."""

    path: PurePosixPath
    text: str
    mode: int = 0o644
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One server. Raises PlanError for what cannot be written into its files."""

    domain: str
    base: str = "/opt/doll"  #: where `doll upgrade` keeps releases
    port: int = 8000
    flavour: str = "cloud"
    memory_mb: int = 0  #: over which the system holds the relay back; 0: what suits the flavour

    def __post_init__(self) -> None:
        if len(self.domain) > MAX_DOMAIN or not _DOMAIN.fullmatch(self.domain):
            raise PlanError("error_domain", self.domain)
        if not _PATH.fullmatch(self.base):
            raise PlanError("error_path", self.base)
        if not 1024 <= self.port <= 65535:
            raise PlanError("error_port", str(self.port))
        if self.flavour not in FLAVOURS:
            raise PlanError("error_flavour", self.flavour)

    def files(self) -> Iterator[File]:
        """All of them, the same for the same plan."""
        for place, template, mode, secret in _FILES:
            yield File(PurePosixPath(place), self._filled(template), mode, secret)

    def _filled(self, template: str) -> str:
        text = resources.files(__package__).joinpath("templates", template).read_text("utf-8")
        # The embedded ear compiles code for this CPU while it runs (oneDNN), and without that right
        # ends with "could not create a primitive". The cloud flavour has no such ear.
        write_execute = "yes" if self.flavour == "cloud" else "no"
        return Template(text).substitute(
            domain=self.domain,
            base=self.base,
            port=self.port,
            memory_mb=self.memory_mb or _MEMORY_MB[self.flavour],
            write_execute=write_execute,
            **_PROVIDERS[self.flavour],
        )


_FILES = (
    ("/etc/sysusers.d/doll.conf", "sysusers.conf", 0o644, False),
    ("/etc/systemd/system/doll-relay.service", "doll-relay.service", 0o644, False),
    ("/etc/systemd/system/doll-backup.service", "doll-backup.service", 0o644, False),
    ("/etc/systemd/system/doll-backup.timer", "doll-backup.timer", 0o644, False),
    ("/etc/caddy/Caddyfile", "Caddyfile", 0o644, False),
    ("/etc/doll/doll.toml", "doll.toml", 0o644, False),
    ("/etc/doll/doll.env", "doll.env", 0o600, True),
    ("/usr/local/bin/doll", "doll.sh", 0o755, False),
)
