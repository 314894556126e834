from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.nbviewer.memory import Memory
from amalthea.services.nbviewer.once import Once


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.binary(max_size=8))))
def test_a_memory_never_holds_more_bytes_than_its_limit(puts: list[tuple[str, bytes]]) -> None:
    memory: Memory[bytes] = Memory(16, len)
    for key, value in puts:
        memory.put(key, value)
        assert memory.used <= 16
        assert memory.get(key) == value


def test_what_was_used_last_stays() -> None:
    memory: Memory[bytes] = Memory(4, len)
    memory.put("a", b"aa")
    memory.put("b", b"bb")
    memory.get("a")
    memory.put("c", b"cc")
    assert memory.get("a") == b"aa"
    assert memory.get("b") is None


def test_a_value_larger_than_the_limit_is_not_kept_and_drops_its_predecessor() -> None:
    memory: Memory[bytes] = Memory(4, len)
    memory.put("a", b"aa")
    memory.put("a", b"too long")
    assert memory.get("a") is None
    assert memory.used == 0


async def test_calls_under_one_key_share_one_run_and_one_error() -> None:
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.01)
        if runs == 1:
            return runs
        raise LookupError

    once: Once[int] = Once()
    assert await asyncio.gather(*(once.run("k", work) for _ in range(5))) == [1] * 5
    errors = await asyncio.gather(*(once.run("k", work) for _ in range(5)), return_exceptions=True)
    assert [type(error) for error in errors] == [LookupError] * 5
    assert runs == 2


async def test_a_caller_who_goes_away_does_not_end_the_run() -> None:
    async def work() -> str:
        await asyncio.sleep(0.02)
        return "done"

    once: Once[str] = Once()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await once.run("k", work)
    assert await once.run("k", work) == "done"
