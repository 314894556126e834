"""An open-loop load: requests start on time, however long the earlier ones take, as visitors do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import httpx2
import msgspec


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request: when it started (seconds after the load began), how long it took, what came back."""

    at: float
    seconds: float
    status: int
    site: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether a visitor would have seen an error."""
        return self.status != 200


class Load:
    """`rate` requests a second to `urls` in turn, for `seconds`; `samples` fill while it runs."""

    def __init__(self, base: str, targets: Sequence[tuple[str, str]], *, rate: float, seconds: float) -> None:
        self.base = base
        self.targets = targets
        self.rate = rate
        self.seconds = seconds
        self.samples: list[Sample] = []
        self.began = 0.0

    async def run(self) -> list[Sample]:
        """Send every request and wait for the last answer."""
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=512)
        async with httpx2.AsyncClient(base_url=self.base, limits=limits, timeout=20, trust_env=False) as client:
            self.began = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for number in range(int(self.rate * self.seconds)):
                    await asyncio.sleep(self.began + number / self.rate - time.perf_counter())
                    host, path = self.targets[number % len(self.targets)]
                    tasks.create_task(self._ask(client, host, path))
        return self.samples

    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self.began

    async def _ask(self, client: httpx2.AsyncClient, host: str, path: str) -> None:
        started, status, site, error = self.now(), 0, "", ""
        try:
            answer = await client.get(path, headers={"host": host})
            status, site = answer.status_code, answer.headers.get("x-amalthea-site", "")
        except httpx2.HTTPError as failure:
            error = repr(failure)
        self.samples.append(Sample(at=started, seconds=self.now() - started, status=status, site=site, error=error))
