from __future__ import annotations

from pathlib import Path

import pytest

from relay.config import ConfigError, Settings, load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the machine that runs the tests."""
    import os

    for name in list(os.environ):
        if name.startswith("DOLL_") or name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str) -> Path:
    path = Path("doll.toml")
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_settings_it_talks_with_no_key_on_loopback() -> None:
    settings = load()
    assert settings.brain == "local"
    assert not settings.relay.public


def test_the_file_in_the_working_directory_is_read() -> None:
    write("[relay]\nport = 9000\n[endpoint]\nsilence_ms = 800\n")
    settings = load()
    assert settings.relay.port == 9000
    assert settings.endpoint.silence_ms == 800


def test_flags_win_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write('[relay]\nport = 1\nhost = "127.0.0.1"\nlog_level = "error"\n')
    monkeypatch.setenv("DOLL_RELAY__PORT", "2")
    monkeypatch.setenv("DOLL_RELAY__LOG_LEVEL", "debug")
    settings = load(flags={"relay": {"port": 3, "host": None}})
    assert (settings.relay.port, settings.relay.log_level) == (3, "debug")


def test_a_gemini_key_under_its_usual_name_chooses_gemini(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k-123")
    settings = load()
    assert settings.brain == "gemini"
    assert "k-123" not in repr(settings)
    write('[persona]\naudience = "child"\n')
    assert load().brain == "local"
    write('[llm]\nprovider = "local"\n')
    assert load().brain == "local"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[relay]\nport = 70000\n", "doll.toml: relay.port: Input should be less than or equal to"),
        ("[relay]\nprot = 1\n", "doll.toml: relay.prot: there is no such setting"),
        ("[rely]\nport = 1\n", "doll.toml: rely: there is no such setting"),
        ("[limits]\nbad_mesages = 3\n", "limits.bad_mesages: there is no such setting"),
        ("[endpoint]\nsilence_ms = 5\n", "silence_ms must be 100 to 10000"),
        ("[llm]\nprovider = 'gpt'\n", "llm.provider: Input should be 'auto', 'local'"),
        ("[persona]\ntimezone = 'Seoul'\n", "must be a time zone such as Asia/Seoul"),
        ("[turn]\nhead_start_ms = 'long'\n", "turn.head_start_ms"),
        ("[llm.gemini]\nmodel = 'gemini-x'\n", "llm.gemini.model: there is no such setting"),
        ("[llm.gemini]\nmodels = []\n", "llm.gemini.models"),
        ("[llm.gemini]\nmodels = ['']\n", "must be names of models, such as gemini-"),
        ("[llm.openai]\ntop_p = 2\n", "llm.openai.top_p"),
        (
            "[listen]\nby_name = true\n[stt]\nprovider = 'gemini'\n[llm]\nprovider = 'gemini'\n",
            "listen.by_name: all that is said near the doll would be sent to Gemini",
        ),
        (
            "[persona]\naudience = 'child'\n[llm]\nprovider = 'gemini'\n",
            "llm.provider: gemini is not for persona.audience = child: Google's terms forbid",
        ),
        (
            "[persona]\naudience = 'child'\n[llm]\nprovider = 'gemini-legacy'\n",
            "llm.provider: gemini-legacy is not for",
        ),
        (
            "[persona]\naudience = 'child'\n[tts]\nlines = 'gemini'\n",
            "tts.lines: gemini is not for",
        ),
        ("[tts.openai]\nbase_url = 'gpu-box/v1'\n", "tts.openai.base_url: must begin with http"),
        ("[relay\n", "doll.toml: this is not TOML"),
        ("relay = 3\n", "doll.toml: relay"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(text: str, said: str) -> None:
    write(text)
    with pytest.raises(ConfigError) as error:
        load()
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOLL_RELAY__PORT", "many")
    with pytest.raises(ConfigError, match=r"^DOLL_RELAY__PORT: relay\.port: .*'many'"):
        load()


def test_a_secret_never_reaches_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOLL_LLM__GEMINI__API_KEY", "k-123")
    write('[llm.gemini]\napi_key = 5\nmodel = 7\n[llm.openai]\napi_key = ["k-456"]\n')
    with pytest.raises(ConfigError) as error:
        load()
    assert "k-123" not in str(error.value)
    assert "k-456" not in str(error.value)


def test_a_named_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no such settings file"):
        load(Path("mine.toml"))


def test_a_file_that_is_no_text_is_an_error() -> None:
    Path("doll.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load()


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().relay.port = 1  # type: ignore[misc]


def test_the_chain_of_models_keeps_its_order_and_each_model_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().llm.gemini.models[0] == "gemini-3.5-flash-lite"
    write('[llm.gemini]\nmodels = ["models/b", "a", "b"]\n')
    assert load().llm.gemini.models == ("b", "a")
    monkeypatch.setenv("DOLL_LLM__GEMINI__MODELS", '["c"]')
    assert load().llm.gemini.models == ("c",)
