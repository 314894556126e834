"""Nobody notices when a site dies: 200 requests a second for 20 seconds, one site killed, the other frozen."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.system.laptop import Laptop, laptop
from tests.system.load import Load, Sample

pytestmark = [pytest.mark.system, pytest.mark.load]

SLOW = pytest.mark.slow

RATE, SECONDS = 200, 20
KILL_AT, APPLY_AT, STOP_AT = 3.0, 7.0, 13.0
TARGETS = (("nbviewer.localhost", "/sample"), ("nbviewer.localhost", "/"), ("status.localhost", "/"))


async def lose_both_in_turn(fleet: Laptop) -> tuple[list[Sample], float, float]:
    """Kill north, have `apply` bring it back, freeze south; the samples, and when those two began."""
    load = Load(fleet.port, TARGETS, rate=RATE, seconds=SECONDS)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(KILL_AT)
    await asyncio.to_thread(fleet.signal, "north", signal.SIGKILL)
    await asyncio.sleep(APPLY_AT - load.now())
    applied = load.now()
    await asyncio.to_thread(fleet.run, "apply")
    await asyncio.sleep(STOP_AT - load.now())
    stopped = load.now()
    await asyncio.to_thread(fleet.signal, "south", signal.SIGSTOP)
    return await running, applied, stopped


@pytest.mark.parametrize("home", ["", pytest.param("north", marks=SLOW), pytest.param("south", marks=SLOW)])
async def test_the_loss_of_a_site_costs_no_visitor_an_error(home: str) -> None:
    edge = f'home = "{home}"' if home else ""
    with laptop(edge=edge) as fleet:
        fleet.run("apply")
        fleet.until({"nbviewer": 200, "status": 200})
        samples, applied, stopped = await lose_both_in_turn(fleet)
    assert len(samples) == RATE * SECONDS
    assert [sample for sample in samples if sample.failed] == []
    assert [s for s in samples if s.seconds > 0.5 and s.at < stopped] == [], "a killed site was noticed"
    assert [s for s in samples if s.seconds > 0.5 and s.at >= stopped] == [], "a frozen site was noticed"
    # Where south is preferred, north gets its visitors back when south is frozen, and not before.
    back = min(s.at for s in samples if s.site == "north" and s.at > applied)
    assert back - (stopped if home == "south" else applied) < 5, "the dead site, restarted, takes traffic too late"
    assert {s.site for s in samples if KILL_AT + 0.5 < s.at < applied} == {"south"}
    assert {s.site for s in samples if s.at > stopped + 4} == {"north"}


async def test_a_change_of_the_fleet_costs_no_visitor_an_error() -> None:
    with laptop() as fleet:
        fleet.run("apply")
        load = Load(fleet.port, TARGETS, rate=100, seconds=12)
        running = asyncio.create_task(load.run())
        for number in range(3):
            await asyncio.sleep(1)
            fleet.write(
                edge='home = "south"' if number % 2 else 'home = "north"', nbviewer=f'hedge = "{400 + number} ms"'
            )
            await asyncio.to_thread(fleet.run, "apply")
        samples = await running
    assert [sample for sample in samples if sample.failed] == []
