"""`doll voice`: voices of the owner's own, from a recording to the doll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from relay.config import load
from relay.languages import is_code
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import MAX_TEXT_CHARS, OwnVoice, VoiceError, checked_name
from tools.texts import terminal_language, texts
from tools.voice.common import telling
from tools.voice.consent import agrees
from tools.voice.findings import in_words
from tools.voice.remove import remove
from tools.voice.serve import serve
from tools.voice.speak import try_

voice = typer.Typer(help="Voices of your own for the doll.", no_args_is_help=True)

_MAX_SPEAKER_CHARS = 80

_Config = Annotated[Path | None, typer.Option(help="The relay's settings file; doll.toml here.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="What to call the voice.")]


@voice.command()
def add(
    name: _Name,
    recording: Annotated[
        Path, typer.Argument(metavar="FILE", help="WAV, FLAC, OGG, MP3, M4A …", dir_okay=False)
    ],
    text: Annotated[str, typer.Option(help="What is said in it, word for word.")] = "",
    read: Annotated[
        bool, typer.Option("--read", help="It is the text of `doll voice text`.")
    ] = False,
    language: Annotated[str, typer.Option(help="ko, en, … of the recording.")] = "",
    consent: Annotated[
        str, typer.Option(help="NAME of who speaks, who has agreed; else they are asked.")
    ] = "",
    consent_recording: Annotated[
        Path | None, typer.Option(help="The speaker saying that they agree.", dir_okay=False)
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Over a voice of that name.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Even if it is not good.")] = False,
    config: _Config = None,
) -> None:
    """Check a recording, ask for consent, and keep it as a voice."""
    settings = load(config)
    language = language or _spoken_here()
    say = texts(__file__)
    with telling("doll voice add"):
        name = checked_name(name)
        if not is_code(language):
            raise VoiceError(f"{language!r} is no language; write an ISO 639-1 code such as ko")
        text = texts(__file__, language)["read_aloud"] if read else text
        text = " ".join(text.split())
        if len(text) > MAX_TEXT_CHARS:
            raise VoiceError(
                f"--text has {len(text)} characters, at most {MAX_TEXT_CHARS} are kept"
            )
        shelf = VoiceShelf.of(settings.relay.data)
        if shelf.has(name) and not replace:
            raise VoiceError(f"there is a voice {name!r} already; --replace replaces it")
        kept = _checked(recording, say, language, anyway=anyway)
        said = _said(consent_recording, say) if consent_recording else None
        speaker, sentence = _consent(name, consent, say)
        how = "told" if consent.strip() else "typed"
        made = OwnVoice(
            name=name,
            speaker=speaker,
            consent=sentence,
            agreed_how=how,
            agreed_at=datetime.now().astimezone().isoformat(timespec="seconds"),
            text=text,
            language=language,
            seconds=kept.seconds,
            rate_hz=kept.rate_hz,
            digest=sha256(kept.wav).hexdigest(),
        )
        shelf.add(made, kept.wav, said, replace=replace)
        if not text:
            typer.echo(say["no_text"])
        typer.echo(say["added"].strip().format(name=name, folder=shelf.folder(name)))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a recording."""

    wav: bytes
    seconds: float
    rate_hz: int


def _checked(path: Path, say: Mapping[str, str], language: str, *, anyway: bool) -> _Kept:
    """The recording at `path`, if it is good enough; what is wrong with it is printed."""
    from relay.tts.voices.prepare import prepare

    prepared = prepare(_bytes(path))
    findings = prepared.judgement.findings
    for line in in_words(prepared.judgement, say):
        typer.echo(line)
    hopeless = any(finding.hopeless for finding in findings)
    if hopeless or (not anyway and not all(finding.bearable for finding in findings)):
        typer.echo(say["advice"])
        typer.echo(texts(__file__, language)["read_aloud"])
        typer.secho(say["hopeless" if hopeless else "refused"], fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    return _Kept(prepared.wav(), prepared.seconds, prepared.rate_hz)


def _bytes(path: Path) -> bytes:
    """The file, or as much of it as is refused for its size."""
    from relay.tts.voices.recording import MAX_FILE_BYTES

    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _said(path: Path, say: Mapping[str, str]) -> bytes:
    """The recorded consent, as far as a machine can check it: somebody says something."""
    from relay.tts.voices.checks import Kind
    from relay.tts.voices.prepare import prepare

    prepared = prepare(_bytes(path))
    if any(finding.kind is Kind.SILENT for finding in prepared.judgement.findings):
        raise VoiceError(say["consent_unheard"])
    return prepared.wav()


def _consent(name: str, speaker: str, say: Mapping[str, str]) -> tuple[str, str]:
    """Who speaks, and the sentence with which they agreed. Asks, unless `speaker` is given."""
    if speaker.strip():
        speaker = _named(speaker, say)
        return speaker, say["consent_sentence"].format(speaker=speaker)
    speaker = _named(typer.prompt(say["ask_speaker"], default="", show_default=False), say)
    sentence = say["consent_sentence"].format(speaker=speaker)
    typer.echo(say["consent_why"].format(name=name))
    typer.echo(f"\n  {sentence}\n")
    if not agrees(typer.prompt(">", default="", show_default=False, prompt_suffix=" "), sentence):
        raise VoiceError(say["consent_missing"])
    return speaker, sentence


def _named(speaker: str, say: Mapping[str, str]) -> str:
    speaker = " ".join(speaker.split())
    if not 0 < len(speaker) <= _MAX_SPEAKER_CHARS:
        raise VoiceError(say["no_speaker"])
    return speaker


def _spoken_here() -> str:
    """The language of the terminal, if there is a text in it."""
    language = terminal_language()
    return language if language in ("ko", "en") else "en"


@voice.command("text")
def text_(
    language: Annotated[str, typer.Option(help="ko or en; the terminal's.")] = "",
) -> None:
    """Show a text to read aloud for a recording."""
    say = texts(__file__, language or None)
    typer.echo(f"{say['advice'].strip()}\n{say['read_aloud']}\n\n{say['short_read']}")


@voice.command("list")
def list_(config: _Config = None) -> None:
    """All voices: name, speaker, length, language, and when the speaker agreed."""
    say = texts(__file__)
    shelf = VoiceShelf.of(load(config).relay.data)
    for name in shelf.names():
        try:
            one = shelf.get(name)
        except VoiceError as error:
            typer.echo(say["broken"].format(name=name, why=error))
            continue
        with_text = say["with_text" if one.text else "without_text"]
        typer.echo(
            say["row"].format(
                name=name,
                speaker=one.speaker,
                seconds=one.seconds,
                language=one.language,
                agreed=one.agreed_at[:10],
                text=with_text,
            )
        )
    if not shelf.names():
        typer.echo(say["none"])


voice.command("try")(try_)
voice.command("remove")(remove)
voice.command("serve")(serve)
