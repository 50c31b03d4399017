"""All settings of the relay, typed: a TOML file, the environment over it, flags over both.

Environment variables are `DOLL_<SECTION>__<KEY>` (`DOLL_RELAY__PORT=9000`); `GEMINI_API_KEY` and
`OPENAI_API_KEY` are read under their usual names as well, and so is `TELEGRAM_BOT_TOKEN`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from relay.audience import GEMINI_TERMS, Audience, allowed
from relay.devices.settings import PairingSettings, ToolSettings
from relay.hearing.endpointing import EndpointSettings
from relay.llm.settings import Brain, LlmSettings
from relay.memory.settings import MemorySettings
from relay.metrics.settings import MetricsSettings
from relay.quota.settings import QuotaSettings
from relay.recorder.settings import RecorderSettings
from relay.stt.settings import SttSettings
from relay.telegram.settings import TelegramSettings
from relay.tts.settings import TtsSettings
from relay.turn.earshot import ListenSettings
from relay.turn.settings import TurnSettings
from relay.web.settings import AdminSettings
from relay.wire.address import IpNetwork, is_loopback
from relay.wire.limits import WireLimits

#: The file that is read when none is named and it exists in the working directory.
DEFAULT_FILE = Path("doll.toml")


class ConfigError(Exception):
    """A setting is wrong; the text is one line: which one, where, and what it should be."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RelaySettings(_Section):
    """Where the relay listens, and how it writes its log."""

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(0), Le(65535)] = 8000  #: 0 takes a free one
    public_url: str | None = None  #: https://… as others reach it; else as they have asked for it
    tls_certificate: Path | None = None  #: PEM, with its chain: the relay does TLS itself
    tls_key: Path | None = None
    behind_proxy: tuple[IpNetwork, ...] = ()  #: a proxy at these addresses does TLS; it is believed
    home_network: bool = False  #: dolls in private networks may come without TLS, nobody else
    hosts: tuple[str, ...] = ()  #: names under which a browser may ask for the relay's pages
    data: Path = Path("data")  #: the folder of what the relay keeps; made if it is not there
    database: SecretStr | None = None  #: postgresql://…, in place of a SQLite file in `data`
    workers: Annotated[int, Ge(1), Le(64)] = 1  #: processes; more than one need `redis`
    #: redis://host:6379/0 (or rediss://, unix://): what several workers or relays share.
    redis: SecretStr | None = None
    max_dolls: Annotated[int, Ge(1)] = 1000  #: connected at the same time, to each worker
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"(https?|wss?)://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("must be an address such as https://doll.example.com")
        return value

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("needs tls_certificate and tls_key, both or none")
        return self

    @property
    def database_url(self) -> str:
        """Empty for SQLite in `data`."""
        return self.database.get_secret_value() if self.database else ""

    @property
    def redis_url(self) -> str:
        """Empty without one."""
        return self.redis.get_secret_value() if self.redis else ""

    @property
    def public(self) -> bool:
        """Whether others than this machine can reach it."""
        return self.host != "localhost" and not is_loopback(self.host)

    @property
    def readable(self) -> bool:
        """Whether what is said could be read on its way: others reach it, and nothing encrypts."""
        guarded = self.tls_certificate or self.behind_proxy or self.home_network
        return self.public and not guarded


class PersonaSettings(_Section):
    """Who the dolls are, whom they talk with, and where they live."""

    name: str = "chacha"  #: a shipped persona, or the path of an owner's file
    folder: Path | None = None  #: where the owner's own are; without it `personas` in relay.data
    audience: Audience = "adult"  #: `child` refuses what may not be given to one: Gemini
    timezone: str = "Asia/Seoul"  #: for the time and the date that the doll tells

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("must be a time zone such as Asia/Seoul or Europe/Berlin") from error
        return value


class UpdateSettings(_Section):
    """Where `doll update` leaves new firmware for the dolls."""

    folder: Path = Path("updates")
    automatic: bool = True  #: else a doll gets one when its owner asks for it, on the page


class Settings(BaseSettings):
    """Everything an owner can set. Defaults talk Korean and English with no key and no cloud."""

    model_config = SettingsConfigDict(
        env_prefix="DOLL_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    relay: RelaySettings = RelaySettings()
    persona: PersonaSettings = PersonaSettings()
    pairing: PairingSettings = Field(default_factory=PairingSettings)
    tools: ToolSettings = Field(default_factory=ToolSettings)
    admin: AdminSettings = Field(default_factory=AdminSettings)
    limits: WireLimits = Field(default_factory=WireLimits)
    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    turn: TurnSettings = Field(default_factory=TurnSettings)
    listen: ListenSettings = Field(default_factory=ListenSettings)
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    memory: MemorySettings = Field(default_factory=MemorySettings)
    quota: QuotaSettings = QuotaSettings()
    tts: TtsSettings = TtsSettings()
    recorder: RecorderSettings = Field(default_factory=RecorderSettings)
    updates: UpdateSettings = UpdateSettings()
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)

    @property
    def personas_folder(self) -> Path:
        """Where the owner's own personas are."""
        return self.persona.folder or self.relay.data / "personas"

    def with_personas(self, folder: Path) -> Self:
        """The same settings with the owner's own personas in another folder."""
        persona = self.persona.model_copy(update={"folder": folder})
        return self.model_copy(update={"persona": persona})

    @property
    def learned_folder(self) -> Path:
        """Where it is kept how people speak, as `doll persona learn` finds it."""
        return self.relay.data / "learned"

    @property
    def ledgers(self) -> QuotaSettings:
        """The quota's settings, with the place where it is kept."""
        return self.quota.kept_in(self.relay.data, self.relay.redis_url)

    @property
    def brain(self) -> Brain:
        """The provider of the language model; what `auto` comes to."""
        if self.llm.provider != "auto":
            return self.llm.provider
        may = allowed("gemini", self.persona.audience)
        return "gemini" if self.llm.gemini.api_key and may else "local"

    @model_validator(mode="after")
    def _can_hear_a_name(self) -> Self:
        if self.listen.by_name and self.stt.provider == "gemini":
            raise ValueError(
                "listen.by_name: all that is said near the doll would be sent to Gemini; "
                "set stt.provider = whisper, which hears at home"
            )
        return self

    @model_validator(mode="after")
    def _may_be_given_to_the_audience(self) -> Self:
        chosen = {
            "stt.provider": self.stt.provider,
            "llm.provider": self.llm.provider,
            "tts.provider": self.tts.provider,
            "tts.lines": self.tts.lines,
        }
        for setting, provider in chosen.items():
            if not allowed(provider, self.persona.audience):
                raise ValueError(
                    f"{setting}: {provider} is not for persona.audience = "
                    f"{self.persona.audience}: {GEMINI_TERMS}; choose another provider"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the name is the library's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, and that over the file."""
        usual = InitSettingsSource(settings_cls, _usual_names())
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls), usual)


def _usual_names() -> dict[str, Any]:
    """The keys that other programs read from the environment too, under the names used there."""
    llm = {
        provider: {"api_key": os.environ[name]}
        for provider, name in (("gemini", "GEMINI_API_KEY"), ("openai", "OPENAI_API_KEY"))
        if os.environ.get(name)
    }
    token = os.environ.get("TELEGRAM_BOT_TOKEN")
    found: dict[str, Any] = {"llm": llm, "telegram": {"token": token} if token else {}}
    return {section: values for section, values in found.items() if values}


def load(
    path: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Read the settings. Without `path`, `DOLL_CONFIG` or `doll.toml` is read if it is there.

    `flags` holds sections as in the file; a value of None means that the flag was not given.
    Raises ConfigError.
    """
    named = path or (Path(os.environ["DOLL_CONFIG"]) if os.environ.get("DOLL_CONFIG") else None)
    if named is not None and not named.is_file():
        raise ConfigError(f"{named}: there is no such settings file")
    file = named or DEFAULT_FILE

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    given: dict[str, Any] = {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in (flags or {}).items()
    }
    try:
        return FromFile(**given)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: this is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{file}: this is not TOML: brackets within brackets") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: this is not UTF-8 text") from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}") from None
    except ValidationError as error:
        raise ConfigError(_in_words(error, file)) from None


def _in_words(error: ValidationError, file: Path) -> str:
    """The first wrong setting in one line: where it came from, its name, what it should be."""
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    name = ".".join(str(part) for part in first["loc"])
    if not name:  # about several settings at once; the text names them
        return first["msg"].removeprefix("Value error, ")
    variable = "DOLL_" + name.upper().replace(".", "__")
    where = variable if variable in os.environ else (str(file) if file.is_file() else "settings")
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        what = "there is no such setting"
    else:
        what = first["msg"].removeprefix("Value error, ")
        if not _secret(name) and isinstance(first["input"], (str, int, float, bool)):
            what += f", not {str(first['input'])[:60]!r}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {name}: {what}{more}"


def _secret(name: str) -> bool:
    return name.endswith(("key", "token", "password"))
