"""Codes, and how often they may be asked for and guessed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.devices.codes import Recital, may_wait, new_code, read_code, wait_before_guess
from relay.devices.settings import PairingSettings

SETTINGS = PairingSettings()


def test_a_code_has_six_digits_and_nobody_elses() -> None:
    drawn = iter([7, 7, 42])
    assert new_code({"000007"}, lambda _: next(drawn)) == "000042"
    assert all(len(new_code(())) == 6 for _ in range(100))


def test_codes_are_drawn_from_a_million() -> None:
    asked = []
    new_code((), lambda n: asked.append(n) or 0)  # type: ignore[func-returns-value]
    assert asked == [1_000_000]


@given(st.text(max_size=12))
def test_what_is_read_is_six_digits_or_nothing(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == 6 and code.isascii() and code.isdigit())


def test_people_may_write_it_as_they_like() -> None:
    for text in ("482913", " 482 913\n", "482-913", "4.8.2.9.1.3", "4, 8, 2, 9, 1, 3"):
        assert read_code(text) == "482913"
    for text in ("", "48291", "4829133", "48291x", "４８２９１３", "٤٨٢٩١٣"):
        assert read_code(text) is None


def test_one_source_cannot_take_all_places() -> None:
    assert may_wait("a", ["a"] * 3, SETTINGS)
    assert not may_wait("a", ["a"] * 4, SETTINGS)
    assert may_wait("b", ["a"] * 4, SETTINGS)
    assert not may_wait("b", [str(n) for n in range(16)], SETTINGS)


def test_after_five_wrong_guesses_one_source_waits() -> None:
    wrong = [("a", 1000 + n) for n in range(5)]
    assert wait_before_guess("a", wrong[:4], 1010, SETTINGS) == 0
    assert wait_before_guess("a", wrong, 1010, SETTINGS) == 590
    assert wait_before_guess("b", wrong, 1010, SETTINGS) == 0
    assert wait_before_guess("a", wrong, 1600, SETTINGS) == 0


def test_after_twenty_wrong_guesses_everybody_waits() -> None:
    wrong = [(str(n), 1000 + n) for n in range(20)]
    assert wait_before_guess("new", wrong[:19], 1100, SETTINGS) == 0
    assert wait_before_guess("new", wrong, 1100, SETTINGS) == 500


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2000))),
    st.sampled_from("abc"),
    st.integers(0, 2000),
)
def test_who_waits_as_long_as_told_may_guess(
    wrong: list[tuple[str, int]], source: str, now: int
) -> None:
    past = [(who, at) for who, at in wrong if at <= now]
    wait_s = wait_before_guess(source, past, now, SETTINGS)
    assert 0 <= wait_s <= SETTINGS.guess_window_s
    assert wait_before_guess(source, past, now + wait_s, SETTINGS) == 0
    if wait_s:
        assert wait_before_guess(source, past, now + wait_s - 1, SETTINGS) == 1


def test_a_code_is_said_once_at_a_time() -> None:
    recital = Recital()
    assert recital.begin(0.0)
    assert not recital.begin(1.0)
    recital.stop()
    assert recital.begin(1.0)


def test_a_doll_that_only_listens_again_is_not_somebody_who_asks() -> None:
    recital = Recital(pause_s=2.0)
    recital.begin(0.0)
    recital.end(5.0)
    assert not recital.begin(6.9, by_hand=False)
    assert recital.begin(7.0, by_hand=False)
    recital.end(9.0)
    recital.played(8.5)  # that was sooner than thought
    assert not recital.begin(10.4, by_hand=False)
    assert recital.begin(10.4), "a button is a person"


def test_a_code_is_not_said_for_ever() -> None:
    recital = Recital(times=3)
    said = 0
    for now in range(100):
        if recital.begin(float(now)):
            said += 1
            recital.stop()
    assert said == 3
