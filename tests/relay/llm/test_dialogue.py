from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Message
from relay.llm.dialogue import turns
from tests.relay.llm.contract import request

MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant"]), st.sampled_from(["a", "b", " ", ""]))
)


@given(MESSAGES)
def test_turns_alternate_from_user_to_user(history: list[Message]) -> None:
    roles = [turn.role for turn in turns(replace(request("c"), history=tuple(history)))]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


@given(MESSAGES)
def test_nothing_the_owner_said_is_lost(history: list[Message]) -> None:
    made = turns(replace(request("c"), history=tuple(history)))
    said = [m.text for m in history if m.role == "user" and m.text.strip()] + ["c"]
    assert "\n".join(t.text for t in made if t.role == "user").split("\n") == said


def test_an_interrupted_turn_is_joined_with_the_next() -> None:
    history = (Message("user", "있잖아"), Message("assistant", ""))
    made = turns(replace(request("듣고 있어?"), history=history))
    assert made == (Message("user", "있잖아\n듣고 있어?"),)
