from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.hearing.base import ListenMode
from relay.turn.machine import Do, Machine, State

MANUAL, AUTO, REALTIME = ListenMode.MANUAL, ListenMode.AUTO, ListenMode.REALTIME
STOP_TURN = [Do.CANCEL_TURN, Do.SEND_STOP]


def in_state(state: State, mode: ListenMode = AUTO) -> Machine:
    machine = Machine()
    if state is not State.IDLE:
        machine.listen_start(mode)
    if state in (State.THINKING, State.SPEAKING):
        machine.utterance()
    if state is State.SPEAKING:
        machine.first_audio()
    assert machine.state is state
    return machine


def test_a_turn_goes_through_all_states_and_back_to_idle() -> None:
    machine = Machine()
    assert machine.listen_start(MANUAL) == [Do.START_HEARING]
    assert machine.listen_stop() == [Do.FINISH_HEARING]
    assert machine.utterance() == [Do.START_TURN]
    assert machine.state is State.THINKING
    machine.first_audio()
    assert machine.state is State.SPEAKING
    machine.turn_ended()
    assert machine.state is State.IDLE


def test_realtime_listens_again_after_an_answer() -> None:
    machine = in_state(State.SPEAKING, REALTIME)
    machine.turn_ended()
    assert machine.state is State.LISTENING


@pytest.mark.parametrize("state", [State.THINKING, State.SPEAKING])
@pytest.mark.parametrize("mode", list(ListenMode))
def test_opening_the_microphone_during_an_answer_is_a_barge_in(
    state: State, mode: ListenMode
) -> None:
    machine = in_state(state)
    assert machine.listen_start(mode) == [*STOP_TURN, Do.START_HEARING]
    assert machine.state is State.LISTENING


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("mode", list(ListenMode))
def test_every_abort_is_answered_by_one_stop(state: State, mode: ListenMode) -> None:
    machine = in_state(state, mode)
    busy = state in (State.THINKING, State.SPEAKING)
    actions = machine.abort()
    assert actions.count(Do.SEND_STOP) == 1
    assert (Do.CANCEL_TURN in actions) == busy
    assert machine.state in (State.IDLE, State.LISTENING)


def test_speech_during_a_realtime_answer_interrupts_it() -> None:
    machine = in_state(State.SPEAKING, REALTIME)
    assert machine.speech_started() == STOP_TURN
    assert machine.state is State.LISTENING


def test_speech_before_the_answer_is_heard_carries_the_utterance_over() -> None:
    machine = in_state(State.THINKING, REALTIME)
    assert machine.speech_started() == [Do.CANCEL_TURN, Do.CARRY_UTTERANCE, Do.SEND_STOP]


@pytest.mark.parametrize("mode", [MANUAL, AUTO])
def test_a_half_duplex_doll_is_not_heard_while_it_is_answered(mode: ListenMode) -> None:
    assert in_state(State.LISTENING, mode).hears
    for state in (State.IDLE, State.THINKING, State.SPEAKING):
        assert not in_state(state, mode).hears


def test_a_realtime_doll_that_closes_its_microphone_is_idle_after_the_answer() -> None:
    machine = in_state(State.SPEAKING, REALTIME)
    assert machine.listen_stop() == [Do.DROP_HEARING]
    assert not machine.hears
    machine.turn_ended()
    assert machine.state is State.IDLE


@pytest.mark.parametrize("state", [State.IDLE, State.THINKING, State.SPEAKING])
def test_a_late_listen_stop_changes_nothing(state: State) -> None:
    machine = in_state(state)
    assert machine.listen_stop() == []
    assert machine.state is state


MOVES = st.sampled_from(
    [
        lambda m: m.listen_start(MANUAL),
        lambda m: m.listen_start(AUTO),
        lambda m: m.listen_start(REALTIME),
        Machine.listen_stop,
        Machine.utterance,
        Machine.nothing_heard,
        Machine.speech_started,
        Machine.first_audio,
        Machine.turn_ended,
        Machine.abort,
    ]
)


@given(st.lists(MOVES, max_size=40))
def test_turns_start_and_end_in_pairs_whatever_happens(moves: list) -> None:
    machine, running = Machine(), False
    for move in moves:
        was = machine.state
        actions = move(machine) or []
        if move is Machine.turn_ended:
            running = False
            assert machine.state not in (State.THINKING, State.SPEAKING)
        for action in actions:
            if action is Do.CANCEL_TURN:
                assert running
                running = False
            if action is Do.START_TURN:
                assert not running
                running = True
        assert running == (machine.state in (State.THINKING, State.SPEAKING)), (was, move)
        if Do.CANCEL_TURN in actions:
            assert Do.SEND_STOP in actions
