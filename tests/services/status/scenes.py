"""Watches, observations and reports to build boards from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from amalthea.model.errors import StoreUnavailable
from amalthea.model.probe import Observation, Probe, Watch
from amalthea.model.store import ObjectInfo
from amalthea.services.status.track import Report, Thresholds, Track
from amalthea.store.memory import MemoryStore

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
TWO_ONE = Thresholds(down_after=2, up_after=1)
FRESH_FOR = 30.0


def watch(service: str = "nbviewer", site: str = "north", *, url: str = "", probe: str = "front page") -> Watch:
    return Watch(service=service, site=site, probe=Probe(name=probe), url=url)


def observed(ok: bool, *, ago: float = 0.0, detail: str = "answered 503 instead of 200") -> Observation:
    """An observation `ago` seconds before noon."""
    return Observation(ok=ok, at=NOON - timedelta(seconds=ago), seconds=0.012, detail="" if ok else detail)


def track(watched: Watch, *answers: bool, ago: float = 2.0) -> Track:
    """The fold of answers given every 10 s, the last one `ago` seconds before noon."""
    made = Track.of(watched)
    for place, ok in enumerate(answers):
        made = made.after(observed(ok, ago=ago + 10 * (len(answers) - 1 - place)), TWO_ONE)
    return made


def report(vantage: str, watches: list[Watch], up: Callable[[Watch], bool], *, ago: float = 2.0) -> Report:
    """What a vantage reports that has asked everything three times."""
    tracks = tuple(track(w, up(w), up(w), up(w), ago=ago) for w in watches)
    return Report(vantage=vantage, at=NOON, tracks=tracks)


class TroubledStore(MemoryStore):
    """A store whose `trouble` can be set: "broken" fails every call, "hanging" answers none."""

    trouble: Literal["", "broken", "hanging"] = ""

    async def _suffer(self, key: str) -> None:
        if self.trouble == "broken":
            raise StoreUnavailable("the disk is full", where=key)
        if self.trouble == "hanging":
            await asyncio.sleep(3600)

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        await self._suffer(key)
        return await super().put(key, body, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        await self._suffer(key)
        return await super().get(key)

    async def delete(self, key: str) -> None:
        await self._suffer(key)
        await super().delete(key)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        await self._suffer(prefix)
        async for info in super().list(prefix, after=after):
            yield info

    async def keys(self, prefix: str = "") -> tuple[str, ...]:
        """What it holds, whatever the trouble."""
        return tuple([info.key async for info in super().list(prefix)])
