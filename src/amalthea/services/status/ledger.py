"""The ledger: where a site writes what it sees, and reads what the others see.

    status/latest/<site>.json                        owned by that site: its newest report
    status/observed/<site>/<day>/<time>-<token>.json  immutable: a batch of tallies

No object has two writers, so copies of stores merge by union. The token is the process's own: while a new
process takes over from an old one at the same site, both write batches and neither hits the other's.

The store may fail or hang, and the page must not care: every call here has a time limit, nothing is raised,
and trouble is counted, logged once when it begins and once when it ends, and held in `trouble` for the page.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime

import msgspec
from prometheus_client import CollectorRegistry, Counter

from amalthea.model.errors import ObjectMissing, StoreError
from amalthea.model.store import ObjectStore
from amalthea.model.wire import decode, encode
from amalthea.services.status.history import Batch
from amalthea.services.status.track import Report

log = logging.getLogger(__name__)

PREFIX = "status/"
CALL_SECONDS = 5.0
DELETE_AT_ONCE = 500
WAITING = 60
"""Batches that wait for a store that fails; older ones are dropped."""


def latest_key(site: str) -> str:
    """Where `site` keeps its newest report."""
    return f"{PREFIX}latest/{site}.json"


class Ledger:
    """One site's part of the store. `others` are the sites whose reports it reads; a store call that takes
    longer than `patience` seconds has failed.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        site: str,
        others: Sequence[str],
        registry: CollectorRegistry,
        patience: float = CALL_SECONDS,
    ) -> None:
        self.trouble = ""
        self.reports: dict[str, Report | None] = dict.fromkeys(others)
        self._store = store
        self._site = site
        self._patience = patience
        self._token = secrets.token_hex(4)
        self._waiting: deque[Batch] = deque(maxlen=WAITING)
        self._failed = Counter(
            "amalthea_status_store_failures_total", "Store calls that failed or took too long.", registry=registry
        )

    async def exchange(self, report: Report) -> None:
        """Write the site's newest report and read those of the others."""
        problems = await asyncio.gather(
            self._problem(self._store.put(latest_key(self._site), encode(report).encode())),
            *(self._problem(self._read(site)) for site in self.reports),
        )
        problem = next(filter(None, problems), "")
        if problem and not self.trouble:
            log.warning("the store fails; the page goes on without it: %s", problem)
        elif self.trouble and not problem:
            log.info("the store works again")
        self.trouble = problem

    async def keep(self, batch: Batch) -> None:
        """Write one batch, after those that could not be written before."""
        self._waiting.append(batch)
        while self._waiting and not await self._problem(self._write(self._waiting[0])):
            self._waiting.popleft()

    async def forget(self, before: datetime) -> None:
        """Delete the site's own batches of all days before that of `before`, some at each call."""
        await self._problem(self._delete(f"{self._observed}{before.astimezone(UTC):%Y-%m-%d}/"))

    @property
    def _observed(self) -> str:
        return f"{PREFIX}observed/{self._site}/"

    async def _write(self, batch: Batch) -> None:
        when = batch.ended.astimezone(UTC)
        key = f"{self._observed}{when:%Y-%m-%d}/{when:%H%M%S}-{self._token}.json"
        await self._store.put(key, encode(batch).encode())

    async def _delete(self, first_kept: str) -> None:
        old: list[str] = []
        async for info in self._store.list(self._observed):
            if info.key >= first_kept or len(old) == DELETE_AT_ONCE:
                break
            old.append(info.key)
        for key in old:
            await self._store.delete(key)

    async def _read(self, site: str) -> None:
        """Take the newest report of `site`; when that fails, the one read before stays, and ages."""
        try:
            report = decode(await self._store.get(latest_key(site)), Report)
        except ObjectMissing:
            return
        if report.vantage == site:
            self.reports[site] = report

    async def _problem(self, work: Awaitable[object]) -> str:
        """What went wrong with one call, or ""."""
        try:
            async with asyncio.timeout(self._patience):
                await work
        except TimeoutError:
            problem = f"no answer within {self._patience:g} s"
        except (StoreError, OSError, msgspec.MsgspecError) as error:
            problem = str(error) or type(error).__name__
        else:
            return ""
        self._failed.inc()
        return problem
