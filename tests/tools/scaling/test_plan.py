from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tools.cli import app
from tools.scaling.bottlenecks import bottlenecks, next_one
from tools.scaling.figures import ASSUMPTIONS, FiguresError, assumptions, costs
from tools.scaling.plan import at_peak, plan, quota_us, with_minutes
from tools.scaling.tables import FILES, filled, words

COSTS, ASSUMED = costs(), assumptions()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_document_says_what_the_tool_says(language: str) -> None:
    document = FILES[language].read_text(encoding="utf-8")
    assert document.count("<!-- table ") == 3
    assert filled(document, language) == document, "run: python -m tools.scaling"


@given(st.integers(1, 2_000_000), st.sampled_from(["adpcm", "opus"]))
def test_more_dolls_never_need_less(dolls: int, codec: str) -> None:
    few, more = plan(dolls, codec, COSTS, ASSUMED), plan(dolls * 2, codec, COSTS, ASSUMED)
    assert few.load.talking <= more.load.talking
    assert few.layout.workers <= more.layout.workers
    assert few.bill.paid < more.bill.paid


@given(st.integers(1, 2_000_000), st.sampled_from(["adpcm", "opus"]))
def test_no_worker_is_asked_for_more_than_it_can_do_with_one_of_a_cell_gone(
    dolls: int, codec: str
) -> None:
    layout = plan(dolls, codec, COSTS, ASSUMED).layout
    of_cell = layout.workers // layout.cells
    left = of_cell - 1 if of_cell > 1 else 1
    assert layout.worker_cores / layout.cells <= left * COSTS.worker.usable + 0.011
    assert layout.cell_dolls <= left * ASSUMED.layout.worker_dolls
    assert layout.cell_dolls <= ASSUMED.layout.cell_dolls


def test_one_doll_talks_at_most_once_and_many_talk_as_their_mean_says() -> None:
    assert at_peak(1, ASSUMED) == 1
    mean = 1_000_000 * 20 / 1440 * 3
    assert mean < at_peak(1_000_000, ASSUMED) < mean * 1.02


def test_twice_the_talk_is_twice_the_tokens() -> None:
    once, twice = (
        plan(100, "adpcm", COSTS, with_minutes(ASSUMED, minutes)).bill.brain_tokens
        for minutes in (20, 40)
    )
    assert twice == pytest.approx(2 * once)


def test_the_cost_of_a_grant_is_that_which_was_measured() -> None:
    points = {10: 100.0, 20: 300.0}
    assert [quota_us(at, points) for at in (1, 10, 15, 20, 40)] == [100, 100, 200, 300, 300]


def test_the_first_limit_of_a_free_key_is_its_day() -> None:
    found = bottlenecks("adpcm", COSTS, ASSUMED)
    assert found[0].key == "free_day"
    past, ahead = next_one(found[0].dolls, found)
    assert (past, ahead) == (None, found[0])
    assert next_one(10**9 + 1, found)[1] is None
    assert {each.key for each in found} == words("en")["bottleneck"].keys()
    assert words("en").keys() == words("ko").keys()
    assert words("en")["bottleneck"].keys() == words("ko")["bottleneck"].keys()


def test_the_command_prints_the_same_plan() -> None:
    done = CliRunner().invoke(
        app, ["scale", "--dolls", "10000", "--minutes-per-day", "20", "--json"]
    )
    told = json.loads(done.stdout)
    found = plan(10_000, "adpcm", COSTS, with_minutes(ASSUMED, 20))
    assert told["layout"]["workers"] == found.layout.workers
    assert told["bill"]["brain_tokens"] == pytest.approx(found.bill.brain_tokens)
    assert CliRunner().invoke(app, ["scale", "--dolls", "5"]).exit_code == 0


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("minutes_per_day = 20", "minutes_per_day = 0", "minutes_per_day"),
        ("gpu_hour = 1.0", "gpu_our = 1.0", "gpu"),
        ("gpu_hour = 1.0", "gpu_hour = ", "alue"),
    ],
)
def test_assumptions_that_make_no_sense_are_told_in_one_line(
    tmp_path: Path, before: str, after: str, names: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(ASSUMPTIONS.read_text(encoding="utf-8").replace(before, after))
    with pytest.raises(FiguresError, match=names):
        assumptions(file)
    done = CliRunner().invoke(app, ["scale", "--dolls", "5", "--assumptions", str(file)])
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    with pytest.raises(FiguresError, match="No such file"):
        assumptions(tmp_path / "none.toml")
