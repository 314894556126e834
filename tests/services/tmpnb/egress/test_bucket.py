from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.services.tmpnb.egress.bucket import Bucket

STEPS = st.lists(st.tuples(st.floats(0, 10), st.integers(0, 5000)), max_size=40)


@settings(deadline=None)
@given(STEPS, st.integers(1, 1000), st.integers(1, 10_000))
def test_by_no_time_has_more_passed_than_the_burst_and_the_rate_until_then(
    steps: list[tuple[float, int]], rate: int, size: int
) -> None:
    bucket, now, passed = Bucket(rate=rate, size=size, now=0.0), 0.0, 0
    for pause, amount in steps:
        now += pause
        ready = now + bucket.spend(amount, now)
        passed += amount
        assert passed <= (size + rate * ready) * (1 + 1e-9) + 1e-6


@settings(deadline=None)
@given(STEPS, st.integers(1, 1000), st.integers(1, 10_000))
def test_who_is_told_to_come_back_later_gets_it_then_and_not_before(
    steps: list[tuple[float, int]], rate: int, size: int
) -> None:
    bucket, now = Bucket(rate=rate, size=size, now=0.0), 0.0
    for pause, amount in steps:
        now += pause
        wait = bucket.try_spend(min(amount, size), now)
        if wait:
            assert bucket.try_spend(min(amount, size), now + wait / 2) > 0
            now += wait + 1e-6
            assert bucket.try_spend(min(amount, size), now) == pytest.approx(0, abs=1e-6)


def test_a_clock_that_is_set_back_costs_nobody_anything() -> None:
    bucket = Bucket(rate=10, size=10, now=1000.0)
    assert bucket.spend(10, 0.0) == 0
    assert bucket.spend(10, 1.0) == 0
    assert bucket.spend(10, 1.0) == 1
