"""Amounts are read and written as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.units import ByteSize, Duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("300 ms", 0.3), ("15 min", 900), ("2h", 7200), (" 1.5 s ", 1.5), ("1 d", 86400)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "count"), [("512 MiB", 2**29), ("1 kB", 1000), ("0 B", 0), ("1.5KiB", 1536)])
def test_a_size_is_a_number_and_a_unit(text: str, count: int) -> None:
    assert ByteSize.parse(text) == count


@pytest.mark.parametrize("text", ["", "15", "min", "15 minutes", "-1 s", "1e3 s", "1 s 2", "٣ s x"])
def test_anything_else_is_refused_with_the_units_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="ms, s, min, h, d"):
        Duration.parse(text)


@given(st.integers(0, 10**9))
def test_whole_milliseconds_survive_being_written(milliseconds: int) -> None:
    duration = Duration(milliseconds / 1000)
    assert Duration.parse(str(duration)) == pytest.approx(duration)


@given(st.integers(0, 2**20).map(lambda n: n * 1024))
def test_a_size_is_written_so_that_a_person_reads_it_within_a_thousandth(count: int) -> None:
    assert ByteSize.parse(str(ByteSize(count))) == pytest.approx(count, rel=1e-3, abs=1)
