"""No two living sessions are the same user."""

from __future__ import annotations

from pathlib import Path

import pytest

from amalthea.model.errors import ProviderError
from amalthea.providers.process.uids import Uids


def test_a_number_that_came_back_is_lent_last() -> None:
    uids = Uids(range(3))
    first = uids.take()
    uids.give_back(first)
    assert [uids.take() for _ in range(3)] == [1, 2, first]


def test_when_all_are_lent_the_next_is_refused() -> None:
    uids = Uids([7])
    uids.take()
    with pytest.raises(ProviderError):
        uids.take()


def test_the_numbers_of_a_directory_are_above_those_of_accounts_and_stay_the_same() -> None:
    one, again = Uids.of(Path("/a/b")), Uids.of(Path("/a/b"))
    assert one.take() == again.take() >= 200_000
