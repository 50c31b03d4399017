"""Every parser that a stranger's bytes reach, as a function of bytes that returns or fails.

A parser may refuse with its own error. Anything else that comes out of it is a fault.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers

from relay.config import ConfigError
from relay.config import load as load_config
from relay.devices.bundle import BundleError, version_number
from relay.devices.codes import read_code
from relay.devices.mcp import Rpc
from relay.devices.ota import OtaError, read_proof, read_report
from relay.devices.tools import read_tool
from relay.llm.answers import JsonAnswer
from relay.llm.gemini_errors import parse_refusal
from relay.llm.lenient import strings
from relay.persona import PersonaError
from relay.persona import load as load_persona
from relay.tts.formats import FormatError, RawDecoder
from relay.wav import WavError, WavReader
from relay.web.origin import _place
from relay.wire import frames
from relay.wire.address import address, source
from relay.wire.codecs import make_decoder
from relay.wire.errors import WireError
from relay.wire.framing import framing
from relay.wire.headers import bearer_token, identifier, language
from relay.wire.intake import Intake, read_hello
from relay.wire.limits import WireLimits
from relay.wire.messages import AudioParams, decode

Target = Callable[[bytes], object]


@dataclass(frozen=True)
class Fuzzed:
    """One parser, and inputs that it takes."""

    run: Target
    seeds: tuple[bytes, ...]


TARGETS: dict[str, Fuzzed] = {}


def fuzzed(*seeds: bytes) -> Callable[[Target], Target]:
    def register(target: Target) -> Target:
        TARGETS[target.__name__] = Fuzzed(target, seeds)
        return target

    return register


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@fuzzed(b'{"type":"hello","version":3,"audio_params":{"format":"opus"}}', b'{"type":"abort"}')
def wire_message(data: bytes) -> None:
    for raw in (data, _text(data)):
        with suppress(WireError):
            decode(raw)


@fuzzed(b'{"type":"hello","version":2,"features":{"mcp":true},"resume":{"session_id":"a"}}')
def wire_hello(data: bytes) -> None:
    with suppress(WireError):
        read_hello(_text(data))


@fuzzed(b"\x82\x82\0\0\0\0ab", b"\x82\xfe\0\x7e\0\0\0\0", b"\x82\xff" + bytes(12))
def wire_frames(data: bytes) -> None:
    at = 0
    while (measured := frames.measure(data, at)) is not None and measured[1] <= len(data):
        if frames.is_whole_binary(data, at):
            frames.unmasked(data, *measured)
        at = measured[1]


@fuzzed(b"\0\0\0\2ab", b"\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0\2ab")
def wire_framing(data: bytes) -> None:
    for version in (1, 2, 3):
        with suppress(WireError):
            packet = framing(version).unpack(data)
            assert len(packet.payload) <= len(data)


@fuzzed(b"\0\0\0\0" + bytes(256), b"\x01" * 260)
def codec_adpcm(data: bytes) -> None:
    _codec(AudioParams("adpcm", 16_000, 1, 32), data)


@fuzzed(bytes(1024), b"\1")
def codec_pcm(data: bytes) -> None:
    _codec(AudioParams("pcm", 16_000, 1, 32), data)


@fuzzed(b"\xd8\xff\xfe", b"\x0b\xe4\x96\x6c\xa8", b"\xd8")
def codec_opus(data: bytes) -> None:
    _codec(AudioParams("opus", 16_000, 1, 60), data)


def _codec(params: AudioParams, data: bytes) -> None:
    decoder = make_decoder(params)
    for packet in (data, memoryview(data)[: len(data) // 2]):
        with suppress(WireError):
            pcm = decoder.decode(packet)
            assert len(pcm) <= 16_000 * 120 // 1000 + len(data) * 2


@fuzzed(b"\1\0\0\0\2ab\0\0\0\2cd")
def wire_intake(data: bytes) -> None:
    """A whole connection: what comes is cut into messages by its own bytes."""
    version, data = (data[0] % 3 + 1, data[1:]) if data else (1, data)
    decoder = make_decoder(AudioParams("pcm", 16_000, 1, 32))
    intake = Intake(framing(version), decoder, WireLimits(), 0.0)
    at = 0
    while at < len(data):
        size = data[at] + 1
        part = data[at + 1 : at + 1 + size]
        at += 1 + size
        with suppress(WireError):
            intake.take(_text(part) if size % 2 else part, at / 1000)


@fuzzed(b'{"application":{"name":"xiaozhi","version":"1.2.3"},"board":{"type":"bread"}}')
def ota_report(data: bytes) -> None:
    with suppress(OtaError):
        read_report(data)


@fuzzed(b'{"algorithm":"hmac-sha256","serial_number":"1","challenge":"c","hmac":"00"}')
def ota_proof(data: bytes) -> None:
    with suppress(OtaError):
        read_proof(data).answers("c")


@fuzzed(b"482 913", b"482-913")
def pairing_code(data: bytes) -> None:
    code = read_code(_text(data))
    assert code is None or (len(code) == 6 and code.isascii() and code.isdigit())


@fuzzed(b"1.2.3")
def bundle_version(data: bytes) -> None:
    with suppress(BundleError):
        version_number(_text(data))


@fuzzed(b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}', b'{"id":1,"error":{"message":"x"}}')
def mcp_answer(data: bytes) -> None:
    payload = _json(data)
    if isinstance(payload, dict):
        rpc = Rpc()
        rpc.request("tools/list", {})
        rpc.take(payload)


@fuzzed(
    b'{"name":"self.audio_speaker.set_volume","description":"d","inputSchema":{"type":"object",'
    b'"properties":{"volume":{"type":"integer","minimum":0,"maximum":100}},"required":["volume"]}}'
)
def mcp_tool(data: bytes) -> None:
    tool = read_tool(_json(data))
    if tool is not None:
        assert tool.name


@fuzzed('{"emotion":"happy","reply":"응, 들려.","memory_note":""}'.encode())
def model_answer(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    answer = JsonAnswer(("ko", "en"))
    for at in range(0, len(text), 7):
        answer.push(text[at : at + 7])
    answer.finish()
    strings(text, ("reply", "emotion"))


@fuzzed(
    b'{"error":{"code":429,"message":"x","details":[{"@type":"type.googleapis.com/google.rpc.'
    b'RetryInfo","retryDelay":"31s"},{"violations":[{"quotaId":"a","quotaValue":"15"}]}]}}'
)
def gemini_refusal(data: bytes) -> None:
    parse_refusal(_json(data))


@fuzzed(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0")
def voice_wav(data: bytes) -> None:
    reader = WavReader()
    with suppress(WavError):
        for at in range(0, len(data), 64):
            reader.push(data[at : at + 64])


@fuzzed(bytes(64))
def voice_raw(data: bytes) -> None:
    decoder = RawDecoder(24_000)
    with suppress(FormatError):
        decoder.push(data)
        decoder.flush()


@fuzzed(b"Bearer abc", b"ko-KR,en;q=0.8")
def request_headers(data: bytes) -> None:
    said = data.decode("latin-1")
    headers = Headers({"authorization": said, "accept-language": said})
    bearer_token(headers)
    assert len(language(headers)) in (0, 2)
    identifier(said)


@fuzzed(b"http://doll.example:8000", b"::ffff:10.0.0.1%eth0", b"2001:db8::1")
def request_place(data: bytes) -> None:
    said = data.decode("latin-1")
    _place(said)
    address(said)
    source(said)


@fuzzed(b"[relay]\nport = 9000\n[llm]\nprovider = 'local'\n", b"[limits]\naudio_bytes = 4096\n")
def config_toml(data: bytes) -> None:
    with _file(data) as path, suppress(ConfigError):
        load_config(path)


@fuzzed((Path(load_persona.__code__.co_filename).parent / "chacha-en.toml").read_bytes())
def persona_toml(data: bytes) -> None:
    with _file(data) as path, suppress(PersonaError):
        load_persona(path)


@contextmanager
def _file(data: bytes) -> Iterator[Path]:
    """The bytes in a file of their own."""
    handle, name = tempfile.mkstemp(suffix=".toml")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield Path(name)
    finally:
        Path(name).unlink()
