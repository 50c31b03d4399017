"""`doll voice`, from a recording to nothing left of it, with the real voice detector."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from relay.tts.voices.recording import decode
from relay.tts.voices.settings import ServerKind
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice
from tests.fakes.voice_server import FakeVoiceServer, refusal, serving_voices
from tests.relay.tts.voices.sounds import wav_of
from tools.cli import app

pytestmark = pytest.mark.models

QUESTIONS = Path(__file__).parents[3] / "tools/demo/questions"
TEXT = "노래해 줄래? 네 이름이 뭐야?"


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    clauses = [decode((QUESTIONS / f"ko-{name}.wav").read_bytes()) for name in ("song", "name")]
    path = tmp_path / "memo.wav"
    path.write_bytes(wav_of(np.concatenate([clause.samples for clause in clauses] * 2)))
    return path


def run(*arguments: str, typed: str = "", code: int = 0) -> str:
    result: Result = CliRunner().invoke(app, ["voice", *arguments], input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def add(recording: Path, *more: str) -> str:
    return run("add", "jinju", str(recording), "--language", "ko", "--consent", "진주", *more)


def kept() -> OwnVoice:
    return VoiceShelf.of(Path("data")).get("jinju")


@contextmanager
def engine(kind: ServerKind = "doll") -> Iterator[FakeVoiceServer]:
    """A voice server in a thread, and doll.toml for it: a command has an event loop of its own."""
    ready, over = threading.Event(), threading.Event()
    found: list[FakeVoiceServer] = []

    async def serve() -> None:
        async with serving_voices(kind) as fake:
            found.append(fake)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    Path("doll.toml").write_text(
        f'[tts.own]\nserver = "{kind}"\nbase_url = "{found[0].base_url}"\n'
    )
    try:
        yield found[0]
    finally:
        over.set()
        thread.join()


def test_a_recording_becomes_a_voice_with_its_consent(recording: Path) -> None:
    said = add(recording, "--text", f"  {TEXT}\n")
    assert "own:jinju" in said
    voice = kept()
    assert (voice.speaker, voice.language, voice.text) == ("진주", "ko", TEXT)
    assert "진주" in voice.consent
    assert voice.agreed_how == "told"
    assert "agreed" in run("list")


def test_the_speaker_types_the_sentence(recording: Path) -> None:
    sentence = "I, Jinju, agree that this doll speaks with an imitation of my voice"
    said = run("add", "jinju", str(recording), typed=f"Jinju\n{sentence.lower()}.\n")
    assert sentence in said
    assert kept().consent == sentence
    assert kept().agreed_how == "typed"


@pytest.mark.parametrize("typed", ["", "Jinju\n", "Jinju\nyes\n", "\n", "   \n"])
def test_without_consent_nothing_is_kept(recording: Path, typed: str) -> None:
    run("add", "jinju", str(recording), typed=typed, code=1)
    assert "no voices" in run("list")
    assert not list(Path().rglob("sample.wav"))


def test_a_recorded_consent_is_kept_beside_the_sample(recording: Path, tmp_path: Path) -> None:
    agreed = QUESTIONS / "ko-likes.wav"
    add(recording, "--consent-recording", str(agreed))
    assert (Path("data/voices/jinju") / "consent.wav").is_file()
    silent = tmp_path / "silent.wav"
    silent.write_bytes(wav_of(np.zeros(32_000, np.float32)))
    said = run(
        *("add", "other", str(recording), "--consent", "진주"),
        *("--consent-recording", str(silent)), code=1,
    )  # fmt: skip
    assert "recorded consent" in said


def test_a_bad_recording_says_how_to_make_a_better_one_and_what_to_read(recording: Path) -> None:
    noisy = decode(recording.read_bytes()).samples
    noisy = noisy + np.random.default_rng(1).normal(0, 0.05, len(noisy)).astype(np.float32)
    room = np.random.default_rng(2).normal(0, 0.05, 16_000).astype(np.float32)
    recording.write_bytes(wav_of(np.concatenate((room, noisy, room))))
    said = run("add", "jinju", str(recording), "--language", "ko", "--consent", "진주", code=1)
    assert "Close the window" in said
    assert "고양이가" in said  # a text to read, in the language of the recording
    assert "--anyway" in said
    assert "own:jinju" in add(recording, "--anyway")


def test_what_cannot_be_a_voice_is_none_anyway() -> None:
    short = str(QUESTIONS / "ko-song.wav")
    said = run("add", "jinju", short, "--consent", "진주", "--anyway", code=1)
    assert "cannot be used" in said


def test_the_text_that_was_offered_need_not_be_typed_again(recording: Path) -> None:
    assert "고양이가" in run("text", "--language", "ko")
    add(recording, "--read")
    assert kept().text.startswith("어제는 비가 와서")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "../x", "memo.wav"), "cannot name a voice"),
        (("add", "jinju", "nowhere.wav"), "No such file"),
        (("add", "jinju", "memo.wav", "--language", "Korean"), "ISO 639-1"),
        (("add", "jinju", "doll.toml"), "no recording"),
        (("try", "nobody"), "there is no voice"),
        (("remove", "nobody", "--yes"), "there is no voice"),
    ],
)
def test_mistakes_are_told_in_a_line(recording: Path, arguments: tuple[str, ...], why: str) -> None:
    Path("doll.toml").write_text("# no sound\n")
    assert why in run(*arguments, code=1)


def test_a_voice_of_that_name_is_not_overwritten_by_accident(recording: Path) -> None:
    add(recording)
    said = run("add", "jinju", str(recording), "--consent", "진주", code=1)
    assert "--replace" in said
    add(recording, "--replace")


def test_a_voice_is_tried_into_a_file(recording: Path) -> None:
    add(recording, "--text", TEXT)
    with engine() as server:
        said = run("try", "jinju", "잘 자.")
        assert server.clauses[-1]["text"] == "잘 자."
        assert server.clauses[-1]["language"] == "ko"
    assert "first sound" in said
    assert decode(Path("jinju.wav").read_bytes()).seconds > 0.4
    assert "not reached" in run("try", "jinju", code=1)


@pytest.mark.parametrize("kind", ["doll", "vllm-omni", "chatterbox-api"])
def test_nothing_of_a_removed_voice_is_left_anywhere(recording: Path, kind: ServerKind) -> None:
    add(recording, "--text", TEXT)
    lines = Path("data/voices/jinju/lines")
    lines.mkdir()
    (lines / "a-line.wav").write_bytes(b"RIFF")
    with engine(kind) as server:
        run("try", "jinju")
        Path("jinju.wav").unlink()
        assert len(server.voices) == 1
        digest = kept().digest
        assert "at the server" in run("remove", "jinju", "--yes")
        assert server.voices == {}
    recording.unlink()
    left = [path for path in Path().rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["doll.toml"]
    assert digest not in left[0].read_text()
    assert "no voices" in run("list")


def test_a_server_that_is_off_is_told_with_what_to_delete_there(recording: Path) -> None:
    add(recording)
    key = kept().key
    with engine():
        pass
    said = run("remove", "jinju", "--yes", code=1)
    assert key in said
    assert not Path("data/voices/jinju").exists()


def test_a_server_that_refuses_to_delete_is_told(recording: Path) -> None:
    add(recording)
    with engine() as server:
        server.refuses_all = refusal(403, "no")
        run("remove", "jinju", "--yes", code=1)
    assert not Path("data/voices/jinju").exists()


def test_removal_asks_first(recording: Path) -> None:
    add(recording)
    run("remove", "jinju", typed="n\n", code=1)
    assert kept()


def test_a_voice_that_cannot_be_read_is_listed_and_can_be_removed(recording: Path) -> None:
    add(recording)
    Path("data/voices/jinju/voice.toml").write_text("oops")
    assert "cannot be used" in run("list")
    run("remove", "jinju", "--yes")
    assert not Path("data/voices/jinju").exists()
