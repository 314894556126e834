"""Watches, observations and reports to build boards from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from amalthea.model.errors import ObjectMissing, StoreUnavailable
from amalthea.model.probe import Observation, Probe, Watch
from amalthea.model.store import ObjectInfo, check_key
from amalthea.services.status.track import Report, Thresholds, Track

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


class SmallStore:
    """A store in memory, as small as the contract allows. While `broken`, every call fails."""

    def __init__(self, clock: Callable[[], datetime] = lambda: NOON) -> None:
        self.objects: dict[str, bytes] = {}
        self.broken = False
        self.clock = clock

    def _check(self, key: str) -> None:
        check_key(key)
        if self.broken:
            raise StoreUnavailable("the disk is full", where=key)

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> str:
        self._check(key)
        self.objects[key] = body
        return str(hash(body))

    async def get(self, key: str) -> bytes:
        self._check(key)
        if key not in self.objects:
            raise ObjectMissing("no such object", where=key)
        return self.objects[key]

    async def delete(self, key: str) -> None:
        self._check(key)
        self.objects.pop(key, None)

    async def list(self, prefix: str = "", *, after: str = "") -> AsyncIterator[ObjectInfo]:
        self._check("listing")
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                yield ObjectInfo(key=key, size=len(self.objects[key]), etag="", modified=self.clock())

    async def aclose(self) -> None:
        """Nothing to let go of."""
