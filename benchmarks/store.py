"""How many objects of 1 KiB a store takes and gives in a second, for 1, 16 and 64 at a time.

The peer is the least that any durable store has to do: threads that append 1 KiB to one open file and `fsync`
it, on the same disk in the same run. A put does more: it makes a file, names it, and syncs its directory.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from amalthea.model.store import ObjectStore
from amalthea.store.bucket import BucketStore
from amalthea.store.filesystem import FilesystemStore
from amalthea.store.opening import open_stores
from amalthea.store.syncing import file_system
from benchmarks.report import Report, Table, Target, median

WRITERS = (1, 16, 64)
BODY = os.urandom(1024)
_numbers = count()
_NO_JOURNAL = (
    "this ext4 has no journal; its figures swing more from run to run, above all soon after many files were deleted"
)

Rates = dict[int, float]


def run(*, quick: bool) -> Report:
    """Measure; the figures are medians over rounds that alternate between the stores."""
    rounds, seconds = (3, 0.5) if quick else (5, 2.0)
    with TemporaryDirectory(prefix=".benchmark-", dir=Path.cwd()) as directory:
        root = Path(directory)
        raw, local, replicated = ([dict[int, float]() for _ in range(rounds)] for _ in range(3))
        for number in range(rounds):
            raw[number] = {writers: _appends(root / "log", writers, seconds) for writers in WRITERS}
            local[number], replicated[number] = asyncio.run(_puts(root / f"{number}", seconds))
        gets = asyncio.run(_gets(root / "0" / "local", seconds))
        bucket, notes = _bucket(root, seconds)
        kind = file_system(root)
    if kind == "ext4" and not any(Path("/proc/fs").glob("jbd2/*")):
        notes += (_NO_JOURNAL,)
    ratio = median([rates[64] / rates[1] for rates in local])
    return Report(
        name="store",
        tables=(
            Table(
                title=f"puts of 1 KiB a second, durable when they return ({kind})",
                columns=("writers", "append + fsync", "filesystem", "replicated, two directories"),
                rows=tuple((f"{n}", _middle(raw, n), _middle(local, n), _middle(replicated, n)) for n in WRITERS),
            ),
            Table(
                title="gets of 1 KiB a second",
                columns=("readers", "filesystem"),
                rows=tuple((f"{n}", rate) for n, rate in gets.items()),
            ),
            *bucket,
        ),
        targets=(Target(name="64 writers against one, filesystem", measured=ratio, at_least=5.0),),
        notes=notes,
    )


def _middle(rounds: list[Rates], writers: int) -> float:
    return median([rates[writers] for rates in rounds])


def _appends(log: Path, writers: int, seconds: float) -> float:
    """Appends a second of so many threads to one file."""
    with log.open("ab", buffering=0) as file, ThreadPoolExecutor(writers) as threads:
        started = time.perf_counter()

        def append(_: int) -> int:
            done = 0
            while time.perf_counter() - started < seconds:
                os.write(file.fileno(), BODY)
                os.fsync(file.fileno())
                done += 1
            return done

        total = sum(threads.map(append, range(writers)))
        return total / (time.perf_counter() - started)


async def _puts(root: Path, seconds: float) -> tuple[Rates, Rates]:
    async with aclosing(await FilesystemStore.open(root / "local")) as store:
        local = {writers: await _rate(_put(store), writers, seconds) for writers in WRITERS}
    async with open_stores([(root / site).as_uri() for site in ("north", "south")]) as both:
        return local, {writers: await _rate(_put(both), writers, seconds) for writers in WRITERS}


async def _gets(directory: Path, seconds: float) -> Rates:
    async with aclosing(await FilesystemStore.open(directory)) as store:
        keys = [info.key async for info in store.list()]
        return {readers: await _rate(_get(store, keys), readers, seconds) for readers in WRITERS}


def _put(store: ObjectStore) -> Callable[[], Awaitable[object]]:
    return lambda: store.put(f"benchmark/{next(_numbers)}", BODY)


def _get(store: ObjectStore, keys: list[str]) -> Callable[[], Awaitable[object]]:
    return lambda: store.get(keys[next(_numbers) * 7919 % len(keys)])


async def _rate(call: Callable[[], Awaitable[object]], tasks: int, seconds: float) -> float:
    """Calls a second of so many tasks, each of which waits for its own."""
    started = time.perf_counter()

    async def one() -> int:
        done = 0
        while time.perf_counter() - started < seconds:
            await call()
            done += 1
        return done

    total = sum(await asyncio.gather(*(one() for _ in range(tasks))))
    return total / (time.perf_counter() - started)


def _bucket(root: Path, seconds: float) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    if find_spec("moto") is None or find_spec("tests") is None:
        return (), ("no S3 server is installed here, so the bucket store was left out",)
    puts, gets = asyncio.run(_bucket_rates(root, seconds))
    rows = tuple((f"{n}", puts[n], gets[n]) for n in WRITERS)
    table = Table(
        title="bucket, on moto's S3 server: mostly the server", columns=("at a time", "puts", "gets"), rows=rows
    )
    return (table,), ()


async def _bucket_rates(root: Path, seconds: float) -> tuple[Rates, Rates]:
    async with _s3(root) as store:
        puts = {tasks: await _rate(_put(store), tasks, seconds) for tasks in WRITERS}
        keys = [info.key async for info in store.list()]
        return puts, {tasks: await _rate(_get(store, keys), tasks, seconds) for tasks in WRITERS}


@asynccontextmanager
async def _s3(root: Path) -> AsyncIterator[ObjectStore]:
    from tests.store.moto import credentials, environment, make_bucket, s3_server

    with s3_server(root / "s3.log") as server, environment(**credentials(server)):
        make_bucket(server, "benchmark")
        async with aclosing(await BucketStore.open("s3://benchmark")) as store:
            yield store
