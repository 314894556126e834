from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.tmpnb.work.ulid import moment, ulid

TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(9999, 1, 1),
    timezones=st.just(UTC),
)
CHANCE = st.binary(min_size=10, max_size=10)


@given(when=TIMES, chance=CHANCE)
def test_a_name_tells_its_time_to_the_millisecond(when: datetime, chance: bytes) -> None:
    assert timedelta(0) <= when - moment(ulid(when, chance)) < timedelta(milliseconds=1)


@given(one=TIMES, other=TIMES, chances=st.tuples(CHANCE, CHANCE))
def test_names_sort_by_time(one: datetime, other: datetime, chances: tuple[bytes, bytes]) -> None:
    first, second = sorted((one, other))
    if second - first >= timedelta(milliseconds=1):
        assert ulid(first, chances[0]) < ulid(second, chances[1])


def test_a_name_is_that_of_the_specification() -> None:
    when = datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC)
    assert ulid(when, bytes(10)) == "01ARZ3NDEK" + "0" * 16
    assert ulid(when, b"\xff" * 10) == "01ARZ3NDEK" + "Z" * 16


@pytest.mark.parametrize("text", ["", "0" * 25, "8" + "0" * 25, "0" * 25 + "U", "0" * 26 + "\n", "7" + "Z" * 25])
def test_anything_else_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not 26|after the year"):
        moment(text)


def test_a_name_takes_ten_random_bytes_and_a_time_since_1970() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        ulid(datetime(2026, 1, 1, tzinfo=UTC), b"")
    with pytest.raises(ValueError, match="before 1970"):
        ulid(datetime(1969, 1, 1, tzinfo=UTC), bytes(10))
