"""A site's store out of URLs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from amalthea.model.clock import Clock, system_clock
from amalthea.model.errors import StoreUnavailable, UsageError
from amalthea.model.store import ObjectStore
from amalthea.store.bucket import SCHEMES, BucketStore
from amalthea.store.filesystem import FilesystemStore
from amalthea.store.late import LateStore
from amalthea.store.memory import MemoryStore
from amalthea.store.replicated import ReplicatedStore
from amalthea.store.retrying import RetryingStore

_LIMIT = 10.0
_RETRYING = 6.0  # below the limit, so that a call ends with the store's own words
_START = 2.0


def check_url(url: str) -> str:
    """Return a URL that `open_store` takes, else raise `UsageError`."""
    parts = urlsplit(url)
    a_file = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/")
    if url == "memory:" or a_file or parts.scheme in SCHEMES:
        return url
    raise UsageError(
        "this is not the URL of a store",
        where=url.replace(parts.netloc, parts.hostname or "") if parts.netloc else url,
        hint="Write file:///ABSOLUTE/PATH, s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH or memory:",
    )


async def open_store(url: str, *, clock: Clock = system_clock) -> ObjectStore:
    """The store at `memory:`, `file:///absolute/path`, `s3://...`, `gs://...` or `az://...`.

    Close it with `aclose`. Raises `UsageError` for another URL, `StoreError` when it cannot be used.
    """
    match urlsplit(check_url(url)).scheme:
        case "memory":
            return MemoryStore(clock)
        case "file":
            return await FilesystemStore.open(Path(unquote(urlsplit(url).path)), clock=clock)
        case _:
            return RetryingStore(await BucketStore.open(url), deadline=_RETRYING)


@asynccontextmanager
async def open_stores(
    urls: Sequence[str], *, clock: Clock = system_clock, limit: float = _LIMIT
) -> AsyncIterator[ObjectStore]:
    """The store of a site: `urls` are those of all sites, its own first.

    With one URL it is that store; with more a `ReplicatedStore` that repairs itself while the context lasts.
    One store may take `limit` seconds for a call. Raises `UsageError` for a URL that is none, and `StoreError`
    when its own directory cannot be used, or no store at all.
    """
    if not urls or len(set(urls)) < len(urls):
        raise UsageError("a site needs one store, or several different ones", where=", ".join(urls))
    if len(urls) == 1:
        async with aclosing(await open_store(urls[0], clock=clock)) as single:
            yield single
        return
    late = {check_url(url): LateStore(partial(open_store, url, clock=clock), name=url) for url in urls}
    async with aclosing(ReplicatedStore(late, limit=limit)) as store:
        await _open_some(late)
        with suppress(StoreUnavailable, TimeoutError):  # `keep_repairing` goes on with it
            async with asyncio.timeout(_START):
                await store.refresh()
        repairing = asyncio.create_task(store.keep_repairing())
        try:
            yield store
        finally:
            repairing.cancel()
            await asyncio.wait([repairing])


async def _open_some(late: dict[str, LateStore]) -> None:
    """Open what opens in time. Raises where the first is a directory that does not, or where nothing does."""
    tries = [asyncio.create_task(store.open()) for store in late.values()]
    await asyncio.wait(tries, timeout=_START)
    for hanging in [one for one in tries if not one.done()]:
        hanging.cancel()
    results = await asyncio.gather(*tries, return_exceptions=True)
    home = next(iter(late))
    if isinstance(results[0], Exception) and urlsplit(home).scheme == "file":
        raise results[0]
    if all(isinstance(result, BaseException) for result in results):
        raise next((r for r in results if isinstance(r, Exception)), StoreUnavailable("no store answers", where=home))
