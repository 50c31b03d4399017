from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.lenient import strings

KEYS = ("a", "b", "c")
OBJECTS = st.dictionaries(st.sampled_from(KEYS), st.text(max_size=40))


@given(OBJECTS, st.booleans(), st.sampled_from([None, 1]))
def test_valid_json_is_read_exactly(
    fields: dict[str, str], escaped: bool, indent: int | None
) -> None:
    text = json.dumps(fields, ensure_ascii=escaped, indent=indent)
    assert strings(text, KEYS) == {
        key: value.encode(errors="ignore").decode() for key, value in fields.items()
    }


@given(st.data(), OBJECTS, st.booleans())
def test_of_a_beginning_each_value_is_a_beginning_in_the_same_order(
    data: st.DataObject, fields: dict[str, str], escaped: bool
) -> None:
    text = json.dumps(fields, ensure_ascii=escaped)
    found = strings(text[: data.draw(st.integers(0, len(text)))], KEYS)
    assert list(found) == list(fields)[: len(found)]
    for number, (key, value) in enumerate(found.items(), 1):
        assert fields[key].startswith(value)
        if number < len(found):
            assert value == fields[key]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "x "y" z", "b": "w"}', {"a": 'x "y" z', "b": "w"}),
        ('{"a": "x, "y", z", "b": ""}', {"a": 'x, "y", z', "b": ""}),
        ("{'a': 'it''s', 'b': \"w\"}", {"a": "it''s", "b": "w"}),
        ('{a: "x", b: "y"}', {"a": "x", "b": "y"}),
        (r'{"a": "x\y\"z\u"', {"a": 'xy"zu'}),
        ('{"a": null, "b": 3, "c": "x"', {"c": "x"}),
        ('{"d": "x"}', {}),
        ("", {}),
    ],
)
def test_what_is_not_quite_json_is_read_as_it_was_meant(text: str, found: dict[str, str]) -> None:
    assert strings(text, KEYS) == found


@given(st.text(alphabet="{}[]\"':,\\ab u0", max_size=200))
def test_anything_is_read_without_a_failure(text: str) -> None:
    for value in strings(text, KEYS).values():
        value.encode()


def test_a_thousand_quotation_marks_cost_no_time_worth_telling() -> None:
    text = '{"a": "' + '" ' * 4_000
    assert len(strings(text, KEYS)["a"]) <= 8_000
