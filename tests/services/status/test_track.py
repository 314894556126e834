from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.status.track import State, Thresholds, Track
from tests.services.status.scenes import FRESH_FOR, NOON, TWO_ONE, observed, track, watch

answers = st.lists(st.booleans(), max_size=40)
thresholds = st.builds(Thresholds, down_after=st.integers(1, 4), up_after=st.integers(1, 4))


def folded(given_answers: list[bool], believed_after: Thresholds) -> Track:
    made = Track.of(watch())
    for place, ok in enumerate(given_answers):
        made = made.after(observed(ok, ago=-place), believed_after)
    return made


def naive(given_answers: list[bool], believed_after: Thresholds) -> tuple[State, int | None]:
    """The state and the place since when, by looking for the last run that was long enough."""
    state, since, start = State.CHECKING, None, 0
    for place, ok in enumerate(given_answers):
        if place and given_answers[place - 1] != ok:
            start = place
        wanted = State.UP if ok else State.DOWN
        long_enough = place - start + 1 >= (believed_after.up_after if ok else believed_after.down_after)
        if long_enough and state is not wanted:
            state, since = wanted, start
    return state, since


@given(answers, thresholds)
def test_the_fold_equals_a_search_for_the_last_run_that_was_long_enough(
    given_answers: list[bool], believed_after: Thresholds
) -> None:
    made = folded(given_answers, believed_after)
    state, since = naive(given_answers, believed_after)
    assert made.state is state
    assert made.since == (None if since is None else NOON + timedelta(seconds=since))


@given(st.integers(2, 4), st.integers(2, 4), answers)
def test_answers_that_alternate_change_nothing(down_after: int, up_after: int, before: list[bool]) -> None:
    believed_after = Thresholds(down_after=down_after, up_after=up_after)
    settled = [*before, *[True] * up_after]
    flapping = [*settled, *[False, True] * 10]
    assert folded(flapping, believed_after).state is folded(settled, believed_after).state is State.UP


@given(answers, thresholds, st.floats(0, 1000))
def test_an_old_track_is_never_up_and_never_down(
    given_answers: list[bool], believed_after: Thresholds, beyond: float
) -> None:
    made = folded(given_answers, believed_after)
    later = NOON + timedelta(seconds=len(given_answers) + FRESH_FOR + beyond)
    assert made.seen(later, fresh_for=FRESH_FOR) in {State.UNKNOWN, State.CHECKING}
    if made.last is not None:
        assert made.seen(later, fresh_for=FRESH_FOR) is State.UNKNOWN


def test_a_clock_far_ahead_says_nothing_about_now() -> None:
    assert track(watch(), True, ago=-3600).seen(NOON, fresh_for=FRESH_FOR) is State.UNKNOWN


def test_a_track_is_settled_when_its_last_answer_says_what_its_state_says() -> None:
    assert not track(watch()).settled
    assert not track(watch(), False).settled
    assert not track(watch(), True, False).settled
    assert track(watch(), True, False, False).settled
    assert track(watch(), True, False, True).settled


def test_a_service_may_go_on_being_checked_until_enough_answers_came() -> None:
    made = Track.of(watch()).after(observed(False), TWO_ONE)
    assert made.seen(NOON, fresh_for=FRESH_FOR) is State.CHECKING
