from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.devices.sight import (
    MAX_ANSWER_CHARS,
    MAX_QUESTION_CHARS,
    PHOTOS,
    PhotoError,
    Sight,
    read_answer,
    read_photo,
)
from relay.devices.tools import ToolError
from relay.errors import ErrorKind

FORM = "multipart/form-data; boundary=line"
JPEG = b"\xff\xd8\xff"


def part(name: str, data: bytes) -> bytes:
    head = f'--line\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n"


@given(st.binary().filter(lambda data: b"\r\n--line" not in data), st.text(max_size=50))
def test_a_photo_comes_through_byte_by_byte(rest: bytes, question: str) -> None:
    question = question.replace("\r\n--line", "")
    body = part("question", question.encode(errors="replace")) + part("file", JPEG + rest)
    photo = read_photo(FORM, body + b"--line--\r\n")
    assert photo.jpeg == JPEG + rest
    assert photo.question == " ".join(question.encode(errors="replace").decode().split())


@given(st.one_of(st.binary(), st.binary().map(lambda data: part("file", data) + b"--line--")))
def test_any_other_bytes_are_refused(body: bytes) -> None:
    try:
        photo = read_photo(FORM, body)
    except PhotoError:
        return
    assert photo.jpeg.startswith(JPEG)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("image/jpeg", JPEG),
        ("multipart/form-data", part("file", JPEG) + b"--line--"),
        (FORM, part("file", JPEG)),
        (FORM, part("photo", JPEG) + b"--line--"),
        (FORM, part("x", b"") * 20 + part("file", JPEG) + b"--line--"),
        (FORM, b"--line\r\n\r\n" + JPEG + b"\r\n--line--"),
    ],
)
def test_what_is_no_form_with_a_photo_is_told_why(kind: str, body: bytes) -> None:
    with pytest.raises(PhotoError, match=r"\.$"):
        read_photo(kind, body)


def test_a_long_question_is_cut() -> None:
    body = part("question", b"a" * 9000) + part("file", JPEG) + b"--line--"
    assert len(read_photo('multipart/form-data; boundary="line"', body).question) == (
        MAX_QUESTION_CHARS
    )


def test_an_answer_is_read_as_it_is_and_in_quotes() -> None:
    told = json.dumps({"success": True, "response": " 사과네. "})
    assert read_answer(told) == read_answer(json.dumps(told)) == "사과네."
    assert len(read_answer(json.dumps({"success": True, "response": "a" * 999}))) == (
        MAX_ANSWER_CHARS
    )


@pytest.mark.parametrize(
    "told",
    ["", "true", "[]", "{", '{"success":false,"message":"no"}', '{"response":"hm"}', "[" * 9999],
)
def test_any_other_result_is_a_failure(told: str) -> None:
    with pytest.raises(ToolError):
        read_answer(told)


def test_one_photo_is_looked_at_for_each_time_that_one_was_asked_for() -> None:
    sight = Sight("http://relay/xiaozhi/vision")
    assert not sight.waits
    with sight.asked("ko"):
        assert sight.waits
        with sight.looking(0.0) as may, sight.looking(0.0) as another:
            assert (may, another) == (True, False)
        assert not sight.waits
    with sight.asked("en"):
        pass
    assert not sight.waits


def test_photos_are_limited_and_come_back_with_time() -> None:
    sight, (rate, burst) = Sight(""), PHOTOS
    taken = []
    for _ in range(int(burst) + 1):
        with sight.looking(0.0) as may:
            taken.append(may)
    assert taken == [True] * int(burst) + [False]
    with sight.looking(1 / rate) as may:
        assert may


def test_a_failure_is_forgotten_when_the_next_photo_is_asked_for() -> None:
    sight = Sight("")
    sight.failure = ErrorKind.QUOTA
    with sight.asked("ko"):
        assert sight.failure is None


@given(st.text())
def test_only_its_own_token_opens_it(token: str) -> None:
    sight = Sight("")
    assert sight.is_token(sight.token)
    assert not sight.is_token(token)
