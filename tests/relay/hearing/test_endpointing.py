from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.hearing.endpointing import Endpointer, EndpointSettings, Event, Mark
from relay.hearing.finished import Reading
from relay.hearing.hangover import Hangover

#: A busy machine is no failure.
patient = hypothesis.settings(deadline=None)

VOICE, SILENCE, UNSURE = 0.9, 0.05, 0.4
SETTINGS = EndpointSettings()

# 200 ms and 600 ms are 6.25 and 18.75 frames: the marks come with the next whole frame.
LIKELY, END = 7, 19


def hear(
    probabilities: Iterable[float], settings: EndpointSettings = SETTINGS, *, held: bool = False
) -> list[tuple[int, Event]]:
    """The events of a stream, each with the number of frames pushed when it came."""
    endpointer = Endpointer(settings, held=held)
    events = [(count, endpointer.push(p)) for count, p in enumerate(probabilities, start=1)]
    return [(count, event) for count, event in events if event is not None]


def marks(events: list[tuple[int, Event]]) -> list[Mark]:
    return [event.mark for _, event in events]


def test_silence_is_no_event() -> None:
    assert hear([SILENCE] * 1000) == []


def test_speech_starts_after_the_minimum_of_voice_and_ends_after_the_hangover() -> None:
    events = hear([SILENCE] * 10 + [VOICE] * 20 + [SILENCE] * 30)
    assert events == [
        (15, Event(Mark.SPEECH_STARTED, 10, 15)),
        (30 + LIKELY, Event(Mark.END_LIKELY, 10, 30)),
        (30 + END, Event(Mark.ENDPOINT, 10, 30)),
    ]


def test_the_onset_is_the_first_frame_of_voice_though_one_of_four_was_silent() -> None:
    events = hear([SILENCE] * 5 + [VOICE, SILENCE] + [VOICE] * 5)
    assert events == [(11, Event(Mark.SPEECH_STARTED, 5, 11))]


def test_voice_in_every_other_frame_does_not_start_speech() -> None:
    assert hear([VOICE, SILENCE] * 200) == []


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_cough_starts_nothing(frames: int) -> None:
    assert hear([SILENCE] * 5 + [VOICE] * frames + [SILENCE] * 40) == []


def test_coughs_with_silence_between_them_do_not_add_up() -> None:
    assert hear(([VOICE] * 4 + [SILENCE] * LIKELY) * 10) == []


def test_a_stutter_adds_up() -> None:
    assert marks(hear([VOICE] * 4 + [SILENCE] * (LIKELY - 1) + [VOICE])) == [Mark.SPEECH_STARTED]


def test_a_hesitation_shorter_than_the_hangover_goes_on() -> None:
    events = hear([VOICE] * 20 + [SILENCE] * (END - 1) + [VOICE] * 20 + [SILENCE] * END)
    assert marks(events) == [
        Mark.SPEECH_STARTED,
        Mark.END_LIKELY,
        Mark.SPEECH_RESUMED,
        Mark.END_LIKELY,
        Mark.ENDPOINT,
    ]
    assert events[-1][1] == Event(Mark.ENDPOINT, 0, 40 + END - 1)


def test_a_hesitation_as_long_as_the_hangover_makes_two_utterances() -> None:
    fixed = EndpointSettings(learned=False)
    events = hear(([VOICE] * 20 + [SILENCE] * END) * 2, fixed)
    assert marks(events) == [Mark.SPEECH_STARTED, Mark.END_LIKELY, Mark.ENDPOINT] * 2
    assert events[-1][1] == Event(Mark.ENDPOINT, 20 + END, 40 + END)


def test_a_pause_shorter_than_a_likely_end_goes_unmentioned() -> None:
    events = hear(([VOICE] * 10 + [SILENCE] * (LIKELY - 1)) * 5 + [SILENCE] * END)
    assert marks(events) == [Mark.SPEECH_STARTED, Mark.END_LIKELY, Mark.ENDPOINT]


def test_speech_goes_on_at_a_probability_at_which_it_would_not_start() -> None:
    assert hear([UNSURE] * 100) == []
    assert marks(hear([VOICE] * 5 + [UNSURE] * 100)) == [Mark.SPEECH_STARTED]


def test_a_pause_is_not_ended_by_a_probability_at_which_speech_would_not_start() -> None:
    events = hear([VOICE] * 20 + [SILENCE] + [UNSURE] * END)
    assert events[-1] == (20 + END, Event(Mark.ENDPOINT, 0, 20))


@pytest.mark.parametrize(("silence_ms", "frames"), [(100, 4), (320, 10), (321, 11), (2000, 63)])
def test_the_hangover_is_the_configured_silence_in_whole_frames(
    silence_ms: int, frames: int
) -> None:
    events = hear([VOICE] * 20 + [SILENCE] * 100, EndpointSettings(silence_ms=silence_ms))
    assert events[-1] == (20 + frames, Event(Mark.ENDPOINT, 0, 20))


def test_no_end_is_likely_before_a_hangover_that_is_shorter() -> None:
    events = hear([VOICE] * 20 + [SILENCE] * 100, EndpointSettings(silence_ms=150))
    assert marks(events) == [Mark.SPEECH_STARTED, Mark.ENDPOINT]


def test_what_reads_as_finished_ends_sooner_and_what_does_not_later() -> None:
    for reading, frames in [
        (Reading.FINISHED, 10),
        (Reading.LIKELY, 16),
        (Reading.UNSURE, 24),
        (Reading.UNFINISHED, 30),
    ]:
        hangover = Hangover(SETTINGS)
        endpointer = Endpointer(SETTINGS, hangover=hangover)
        event, silence = None, 0
        for _ in range(20):
            endpointer.push(VOICE)
        while event is None or event.mark is not Mark.ENDPOINT:
            event = endpointer.push(SILENCE)
            silence += 1
            if event is not None and event.mark is Mark.END_LIKELY:
                hangover.read(reading)
        assert silence == frames


def test_a_transcript_that_comes_late_ends_speech_with_the_next_frame() -> None:
    hangover = Hangover(SETTINGS)
    endpointer = Endpointer(SETTINGS, hangover=hangover)
    for probability in [VOICE] * 20 + [SILENCE] * 15:
        endpointer.push(probability)
    hangover.read(Reading.FINISHED)
    event = endpointer.push(SILENCE)
    assert event == Event(Mark.ENDPOINT, 0, 20)


def test_who_goes_on_right_after_an_endpoint_is_given_more_time() -> None:
    cut = ([VOICE] * 20 + [SILENCE] * 22) * 2
    assert marks(hear(cut)) == [
        Mark.SPEECH_STARTED,
        Mark.END_LIKELY,
        Mark.ENDPOINT,
        Mark.SPEECH_STARTED,
        Mark.END_LIKELY,  # the second pause is as long, and no end
    ]


def test_guarded_a_short_sound_is_no_interruption_and_a_sentence_is() -> None:
    endpointer = Endpointer(SETTINGS)
    endpointer.guarded = True
    short = [endpointer.push(p) for p in [VOICE] * 12 + [SILENCE] * 20]
    assert short == [None] * 32
    events = [endpointer.push(VOICE) for _ in range(13)]
    assert [event.mark for event in events if event] == [Mark.SPEECH_STARTED]
    assert events[-1] is not None


def test_endless_speech_is_cut_at_the_limit_and_the_next_utterance_follows() -> None:
    settings = EndpointSettings(max_utterance_s=3)
    most = settings.max_frames
    events = hear([VOICE] * (2 * most), settings)
    assert events == [
        (5, Event(Mark.SPEECH_STARTED, 0, 5)),
        (most, Event(Mark.TOO_LONG, 0, most)),
        (most + 5, Event(Mark.SPEECH_STARTED, most, most + 5)),
        (2 * most, Event(Mark.TOO_LONG, most, 2 * most)),
    ]


def test_an_end_at_the_limit_is_an_end() -> None:
    settings = EndpointSettings(max_utterance_s=3)
    voice = settings.max_frames - END
    assert marks(hear([VOICE] * voice + [SILENCE] * END, settings))[-1] is Mark.ENDPOINT


def test_held_silence_ends_nothing() -> None:
    events = hear([VOICE] * 5 + [SILENCE] * 900 + [VOICE], held=True)
    assert marks(events) == [Mark.SPEECH_STARTED, Mark.END_LIKELY, Mark.SPEECH_RESUMED]


def test_held_a_word_shorter_than_the_minimum_counts() -> None:
    endpointer = Endpointer(SETTINGS, held=True)
    for probability in [SILENCE] * 9 + [VOICE] * 3 + [SILENCE] * 100:
        endpointer.push(probability)
    assert endpointer.speech == (9, 12)


def test_held_speech_is_cut_at_the_limit_too() -> None:
    events = hear([VOICE] * 5 + [SILENCE] * 2000, held=True)
    assert events[-1] == (SETTINGS.max_frames, Event(Mark.TOO_LONG, 0, 5))


def test_it_is_busy_from_the_first_sign_of_voice_to_the_endpoint() -> None:
    endpointer = Endpointer(SETTINGS)
    assert not endpointer.busy
    busy = []
    for probability in [SILENCE] * 3 + [VOICE] * 6 + [SILENCE] * (END + 2):
        endpointer.push(probability)
        busy.append(endpointer.busy)
    assert busy == [False] * 3 + [True] * (6 + END - 1) + [False] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_threshold": 0.3},
        {"stop_threshold": 0.0},
        {"start_threshold": 1.0},
        {"start_frames": 5},
        {"start_frames": 0},
        {"min_speech_ms": -1},
        {"silence_ms": 0},
        {"silence_ms": 60_000},
        {"min_ms": 50},
        {"min_ms": 1600},
        {"max_ms": 20_000},
        {"echo_tail_ms": -1},
        {"echo_tail_ms": 3000},
        {"interrupt_ms": 2001},
        {"lead_in_ms": -1},
        {"lead_out_ms": 201},
        {"end_likely_ms": 100},
        {"max_utterance_s": 0.5},
        {"max_utterance_s": 1000},
        {"max_utterance_s": 1.0, "lead_in_ms": 1000},
        {"silence_ms": float("nan")},
        {"max_utterance_s": float("nan")},
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="|".join(wrong)):
        dataclasses.replace(SETTINGS, **wrong)  # type: ignore[arg-type]


def test_a_doll_has_its_own_bounds_and_shares_the_rest() -> None:
    own = SETTINGS.for_doll({"min_ms": 500, "max_ms": 2000})
    assert own == dataclasses.replace(SETTINGS, min_ms=500, max_ms=2000)
    assert SETTINGS.for_doll({}) == SETTINGS


@pytest.mark.parametrize(
    "own", [{"start_threshold": 1}, {"min_ms": "x"}, {"min_ms": True}, {"max_ms": 10}, 3, {1: 2}]
)
def test_a_doll_s_own_settings_that_cannot_be_are_refused(own: object) -> None:
    with pytest.raises(ValueError):
        SETTINGS.for_doll(own)


# Runs of frames, because single random ones would hardly ever make an utterance.
runs = st.lists(
    st.tuples(st.sampled_from([0.0, 0.3, 0.35, 0.4, 0.5, 1.0]), st.integers(1, 40)), max_size=30
).map(lambda pairs: [p for p, count in pairs for _ in range(count)])
some_settings = st.builds(
    EndpointSettings,
    start_frames=st.integers(1, 4),
    min_speech_ms=st.integers(0, 2000),
    silence_ms=st.integers(100, 1500),
    end_likely_ms=st.integers(200, 800),
    max_utterance_s=st.floats(1, 5),
)


@patient
@given(runs, some_settings, st.booleans())
@example([1.0] * 5 + [0.0] * 6 + [1.0] * 40, EndpointSettings(max_utterance_s=1), False)
def test_whatever_comes_the_events_are_in_order_and_within_the_limit(
    probabilities: list[float], settings: EndpointSettings, held: bool
) -> None:
    allowed = {
        None: {Mark.SPEECH_STARTED},
        Mark.SPEECH_STARTED: {Mark.END_LIKELY, Mark.ENDPOINT, Mark.TOO_LONG},
        Mark.END_LIKELY: {Mark.SPEECH_RESUMED, Mark.ENDPOINT, Mark.TOO_LONG},
        Mark.SPEECH_RESUMED: {Mark.END_LIKELY, Mark.ENDPOINT, Mark.TOO_LONG},
    }
    before, spent, onset = None, 0, None
    for count, event in hear(probabilities, settings, held=held):
        assert event.mark in allowed[before]
        assert spent <= event.onset < event.voice_end <= count
        assert count - event.onset <= settings.max_frames
        if event.mark is Mark.SPEECH_STARTED:
            onset = event.onset
        assert event.onset == onset
        before = event.mark
        if before in (Mark.ENDPOINT, Mark.TOO_LONG):
            before, spent = None, count
        assert not (held and event.mark is Mark.ENDPOINT)


@patient
@given(runs, some_settings)
def test_speech_that_goes_on_begins_where_the_endpointer_promised(
    probabilities: list[float], settings: EndpointSettings
) -> None:
    endpointer, earliest = Endpointer(settings), 0
    for probability in probabilities:
        event = endpointer.push(probability)
        assert event is None or event.onset >= earliest
        earliest = endpointer.onset
