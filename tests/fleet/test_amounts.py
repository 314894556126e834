from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amalthea.fleet.literal import literal
from amalthea.model.units import ByteSize, Duration
from amalthea.model.wire import decode, encode


@given(st.floats(min_value=0, allow_infinity=False, max_value=1e15))
def test_a_duration_reaches_a_process_as_it_was_written(seconds: float) -> None:
    assert decode(encode(Duration(seconds)), Duration) == seconds


@given(st.integers(min_value=0, max_value=2**53))
def test_a_size_reaches_a_process_as_it_was_written(size: int) -> None:
    assert decode(encode(ByteSize(size)), ByteSize) == size


def test_round_amounts_are_written_in_the_largest_unit() -> None:
    assert literal(Duration(7200)) == '"2 h"'
    assert literal(ByteSize(512 * 2**20)) == '"512 MiB"'
    assert literal(ByteSize(1_500_000)) == '"1500000 B"'
    assert literal(Duration(1_234_567)) == '"1234567 s"'
