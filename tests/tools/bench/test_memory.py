from __future__ import annotations

from tools.bench.memory import measure


async def test_a_long_history_makes_the_next_prompt_no_longer_than_its_window() -> None:
    short, long = await measure(1_000), await measure(6_000)
    assert long.result["messages"] == 6_000
    assert long.result["prompt_chars"] < short.result["prompt_chars"] + 200
    assert [goal.name for goal in long.goals] == [
        "prompt, more than with an empty history",
        "the same with the session's start",
        "the nearest lines of a manner",
    ]
    assert long.result["manner_lines"] == 6_000
