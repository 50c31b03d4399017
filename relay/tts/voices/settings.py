"""The server that speaks in the owner's own voices: the section `tts.own`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from relay.stt.settings import web_address

ServerKind = Literal["doll", "reference", "vllm-omni", "chatterbox-api", "gpt-sovits"]

#: Where `doll voice serve` listens.
LOCAL_PORT = 8790


class OwnVoiceSettings(BaseModel):
    """Which server it is, and how long the doll waits for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: ServerKind = "doll"
    #: Ends where the server's paths begin: `http://gpu-box:8091/v1` for those like OpenAI's.
    base_url: str = f"http://127.0.0.1:{LOCAL_PORT}"
    api_key: SecretStr | None = None
    model: str = ""  #: for servers like OpenAI's that want one
    #: With `gpt-sovits`: the folder of the voices as that server sees it.
    samples: str = ""
    audio_field: str = "ref_audio"  #: with `reference`: where the server takes the sample,
    text_field: str = "ref_text"  #: and what is said in it
    extra_body: dict[str, Any] = {}  #: anything else that the server takes, sent as it is
    first_sound_s: Annotated[float, Gt(0), Le(60)] = 6.0  #: from the request to the first sound
    gap_s: Annotated[float, Gt(0), Le(60)] = 4.0  #: without any more of it
    register_s: Annotated[float, Ge(1), Le(300)] = 60.0  #: for taking a sample, once

    _url = field_validator("base_url")(web_address)

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if self.server == "gpt-sovits" and not self.samples:
            raise ValueError(
                "samples: GPT-SoVITS reads the sample itself; name the folder of the voices "
                "(data/voices) by its full path, as that server sees it"
            )
        return self
