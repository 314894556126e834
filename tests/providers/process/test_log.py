"""Logs: the tail, across a rotation, and followed through one; and disks that do not take them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.model.errors import ProviderError
from amalthea.providers.process import ProcessProvider
from amalthea.providers.process.log import LIMIT, Log
from tests.contracts.provider import answer_of, example, lines_of, until
from tests.machine import small_disk
from tests.providers.process.conftest import PROGRAMS


async def tail(log: Log, lines: int) -> list[str]:
    return [line async for line in log.read(lines, follow=False)]


@given(
    old=st.lists(st.text("ab é", max_size=9), max_size=6),
    new=st.lists(st.text("ab é", max_size=9), max_size=6),
    rest=st.text("ab", max_size=5),
    lines=st.integers(0, 15),
)
def test_the_tail_is_the_end_of_both_files(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], rest: str, lines: int
) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "one.log")
    log.older.write_text("".join(f"{line}\n" for line in old))
    log.path.write_text("".join(f"{line}\n" for line in new) + rest)
    whole = [*old, *new]
    expected = (whole[-lines:] if lines else []) + ([rest] if rest else [])
    assert asyncio.run(tail(log, lines)) == expected


async def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "one.log")
    log.path.write_text("".join(f"line {n}\n" for n in range(200_000)))
    assert await tail(log, 20_000) == [f"line {n}" for n in range(180_000, 200_000)]


async def test_whoever_follows_misses_nothing_when_the_log_is_rotated(tmp_path: Path) -> None:
    log, heard = Log(tmp_path / "one.log"), list[str]()
    log.path.write_text("1\n2\n")

    async def listen() -> None:
        async for line in log.read(1, follow=True):
            heard.append(line)

    listening = asyncio.create_task(listen())
    await until(lambda: asyncio.sleep(0, heard), bool)
    log.older.write_text("1\n2\n3\nfo")
    log.path.write_text("ur")
    await until(lambda: asyncio.sleep(0, heard), lambda lines: "3" in lines)
    with log.path.open("a") as file:
        file.write("\n5\n")
    await until(lambda: asyncio.sleep(0, heard), lambda lines: "5" in lines)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    assert heard == ["2", "3", "four", "5"]


async def test_a_keeper_rotates_a_log_that_grew_too_long(provider: ProcessProvider, directory: Path) -> None:
    lines = LIMIT // 1024 + 100
    running = await provider.start(example("--flood", str(lines)))
    log = directory / "log" / "north" / f"{running.key}.log"
    await answer_of(running)
    older = log.with_name(log.name + ".1")
    await until(lambda: asyncio.to_thread(older.exists), bool)
    await until(lambda: asyncio.to_thread(lambda: log.stat().st_size), lambda size: size < LIMIT)
    numbers = [int(line[:7]) for line in await lines_of(provider, running.key, lines=100) if line.endswith("xxx")]
    assert numbers == list(range(lines - len(numbers), lines))
    assert len(numbers) >= 99


async def test_a_log_directory_that_cannot_be_made_is_an_error_and_nothing_starts(directory: Path) -> None:
    (directory / "log").write_text("in the way")
    provider = ProcessProvider("north", directory=directory, fleet="laptop", programs=PROGRAMS)
    with pytest.raises(ProviderError, match="cannot write the log: ") as caught:
        await provider.start(example())
    assert str(directory) in caught.value.where
    assert await provider.running() == {}


async def test_a_run_directory_that_cannot_be_made_is_an_error(directory: Path) -> None:
    (directory / "run").write_text("in the way")
    provider = ProcessProvider("north", directory=directory, fleet="laptop", programs=PROGRAMS)
    with pytest.raises(ProviderError, match="cannot lock: "):
        await provider.start(example())


@pytest.fixture(name="small_disk")
def _small_disk(directory: Path) -> Iterator[Path]:
    with small_disk(directory / "small", size="64k") as disk:
        yield disk


@pytest.mark.privileged
async def test_a_full_disk_is_an_error_and_nothing_starts(small_disk: Path) -> None:
    (small_disk / "log" / "north").mkdir(parents=True)
    (small_disk / "log" / "north" / f"{example().key}.log").touch()
    (small_disk / "run").mkdir()
    with contextlib.suppress(OSError):
        (small_disk / "ballast").write_bytes(bytes(100_000))
    provider = ProcessProvider("north", directory=small_disk, fleet="laptop", programs=PROGRAMS)
    with pytest.raises(ProviderError, match="No space left"):
        await provider.start(example())
    assert await provider.running() == {}


@pytest.mark.privileged
async def test_a_disk_that_is_nearly_full_limits_the_account(small_disk: Path) -> None:
    provider = ProcessProvider("north", directory=small_disk, fleet="laptop", programs=PROGRAMS)
    state = await provider.account()
    assert state.standing == "limited"
    assert "KiB free" in state.detail


@pytest.mark.privileged
async def test_a_keeper_goes_on_when_its_disk_fills_up(small_disk: Path) -> None:
    provider = ProcessProvider("north", directory=small_disk, fleet="laptop", programs=PROGRAMS)
    running = await provider.start(example())
    try:
        await answer_of(running)
        with contextlib.suppress(OSError):
            (small_disk / "ballast").write_bytes(bytes(100_000))
        os.kill(running.pids[1], 9)
        again = await until(
            provider.running,
            lambda found: running.pids[1] not in found[running.key].pids[-1:] and len(found[running.key].pids) == 2,
        )
        assert again[running.key].pids[0] == running.pids[0]
        await answer_of(running)
    finally:
        await provider.stop(running.key, grace=example().grace)
