from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from amalthea.model.errors import ProviderError
from amalthea.model.units import Duration
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.why import Why
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import HeldClock, work_at
from tests.store.faulty import FaultyStore, Mood


class Full(Directory):
    """A home without room for `b`."""

    async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
        if path == "b":
            raise ProviderError("the disk is full", where=path)
        await super().write(path, body, executable=executable)


async def test_what_a_home_refuses_is_told(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    work, home = work_at(MemoryStore(), HeldClock(), registry=registry), Directory(tmp_path / "home")
    home.fill({"a": (b"1", False), "b": (b"2", False)})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    result = await work.restore(snapshot, Full(tmp_path / "full"))
    assert [(line.path, line.why) for line in result.lost] == [("b", Why.REFUSED)]
    assert (result.files, result.size) == (1, 1)
    assert registry.get_sample_value("amalthea_tmpnb_work_lost_files_total", {"reason": "refused"}) == 1
    assert registry.get_sample_value("amalthea_tmpnb_work_written_bytes_total") == 2
    assert registry.get_sample_value("amalthea_tmpnb_work_read_bytes_total") == 2


async def test_a_store_that_goes_away_while_restoring_is_not_asked_for_ever(tmp_path: Path) -> None:
    store = FaultyStore(MemoryStore())
    bounds = Bounds(call=Duration(0.05), attempt=Duration(30), transfers=2)
    work, home = work_at(store, HeldClock(), bounds=bounds), Directory(tmp_path / "home")
    home.fill({f"{n:03}": (b"%d" % n, False) for n in range(100)})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None

    class Away(Directory):
        async def write(self, path: str, body: bytes, *, executable: bool = False) -> None:
            store.mood = Mood.HANGING
            await super().write(path, body, executable=executable)

    result = await work.restore(snapshot, Away(tmp_path / "other"))
    assert result.files == 1
    assert {line.why for line in result.lost} == {Why.UNREACHABLE}
