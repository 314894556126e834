from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from amalthea.model.probe import Observation
from amalthea.model.wire import decode
from amalthea.services.status.history import Batch, Tally
from amalthea.services.status.ledger import WAITING, Ledger, latest_key
from amalthea.services.status.track import State
from tests.services.status.scenes import NOON, TroubledStore, report, watch

WATCHES = [watch(site="north"), watch(site="south")]


def ledger(store: TroubledStore, site: str = "south", *others: str) -> Ledger:
    return Ledger(store, site=site, others=others, registry=CollectorRegistry(), patience=0.1)


def batch(minutes: float = 0) -> Batch:
    tally = Tally.of(watch()).plus(Observation(ok=False, at=NOON, seconds=0.5, detail="down"), State.DOWN)
    when = NOON + timedelta(minutes=minutes)
    return Batch(vantage="south", begun=when - timedelta(minutes=1), ended=when, tallies=(tally,))


async def test_two_sites_read_what_the_other_wrote() -> None:
    store = TroubledStore()
    south, north = ledger(store, "south", "north"), ledger(store, "north", "south")
    await south.exchange(report("south", WATCHES, lambda w: True))
    assert south.reports == {"north": None}
    await north.exchange(report("north", WATCHES, lambda w: False))
    await south.exchange(report("south", WATCHES, lambda w: True))
    seen = south.reports["north"]
    assert seen is not None
    assert [track.state for track in seen.tracks] == [State.DOWN, State.DOWN]
    assert north.reports["south"] is not None
    assert not south.trouble


@pytest.mark.parametrize("trouble", ["broken", "hanging"])
async def test_a_store_in_trouble_costs_no_more_than_its_time_limit_and_is_told_once(
    trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = TroubledStore()
    kept = ledger(store, "south", "north")
    await ledger(store, "north").exchange(report("north", WATCHES, lambda w: True))
    await kept.exchange(report("south", WATCHES, lambda w: True))
    store.trouble = trouble  # type: ignore[assignment]
    started = time.monotonic()
    for _ in range(3):
        await kept.exchange(report("south", WATCHES, lambda w: True))
    assert time.monotonic() - started < 1
    assert kept.trouble
    assert kept.reports["north"] is not None
    store.trouble = ""
    await kept.exchange(report("south", WATCHES, lambda w: True))
    assert not kept.trouble
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"\xff", b"[]", b'{"vantage": 3}', b'{"vantage":"north","at":"soon"}']
)
async def test_an_unreadable_report_is_trouble_and_no_error(body: bytes) -> None:
    store = TroubledStore()
    await store.put(latest_key("north"), body)
    south = ledger(store, "south", "north")
    await south.exchange(report("south", WATCHES, lambda w: True))
    assert south.reports == {"north": None}
    assert south.trouble


async def test_a_report_in_another_sites_name_is_not_taken() -> None:
    store = TroubledStore()
    await ledger(store, "east").exchange(report("east", WATCHES, lambda w: False))
    await store.put(latest_key("north"), await store.get(latest_key("east")))
    south = ledger(store, "south", "north")
    await south.exchange(report("south", WATCHES, lambda w: True))
    assert south.reports == {"north": None}


async def test_batches_wait_while_the_store_is_broken() -> None:
    store = TroubledStore()
    south = ledger(store)
    store.trouble = "broken"
    for minute in range(WAITING + 5):
        await south.keep(batch(minute))
    assert await store.keys() == ()
    store.trouble = ""
    await south.keep(batch(WAITING + 5))
    keys = await store.keys("status/observed/south/")
    assert len(keys) == WAITING
    assert keys[-1].startswith("status/observed/south/2026-05-17/130500-")
    assert decode(await store.get(keys[-1]), Batch) == batch(WAITING + 5)


async def test_two_processes_of_one_site_do_not_hit_each_others_batches() -> None:
    store = TroubledStore()
    await asyncio.gather(ledger(store).keep(batch()), ledger(store).keep(batch()))
    assert len(await store.keys("status/observed/south/")) == 2


async def test_only_own_and_old_batches_are_forgotten() -> None:
    store = TroubledStore()
    south, north = ledger(store, "south"), ledger(store, "north")
    for days in range(4):
        await south.keep(batch(-days * 1440))
        await north.keep(batch(-days * 1440))
    await south.forget(NOON - timedelta(days=1))
    assert [key.split("/")[3] for key in await store.keys("status/observed/south/")] == ["2026-05-16", "2026-05-17"]
    assert len(await store.keys("status/observed/north/")) == 4
    store.trouble = "broken"
    await south.forget(NOON)
