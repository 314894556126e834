from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from amalthea.fleet.apply import apply
from amalthea.fleet.desired import Placement
from amalthea.fleet.errors import ApplyFailed
from amalthea.fleet.event import Event, What
from amalthea.fleet.plan import Plan, plan, teardown
from amalthea.fleet.survey import survey
from amalthea.model.errors import ExitCode, UnsafePlan
from amalthea.model.provider import Provider
from amalthea.model.units import Duration
from amalthea.model.workload import State, Workload
from tests.fleet.memory_edge import MemoryEdge
from tests.fleet.memory_provider import MemoryProvider


class SmallFleet:
    """An edge outside two sites, and a reader at each of them."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.providers = {name: MemoryProvider(name, history=self.history) for name in ("here", "north", "south")}
        self.edge = MemoryEdge("here", history=self.history)
        self.version = "1"
        self.services = ["reader"]

    def wanted(self, *services: str) -> list[Placement]:
        edge = Placement(site="here", workload=self.edge.workload())
        return [
            edge,
            *(
                Placement(site=site, workload=self.workload(service))
                for service in services or self.services
                for site in ("north", "south")
            ),
        ]

    def workload(self, service: str) -> Workload:
        return Workload(name=f"{service}-1", service=service, argv=("amalthea",), version=self.version)

    async def plan(self, placements: Sequence[Placement] | None = None) -> Plan:
        seen = await survey(self._providers)
        return plan(
            self.wanted() if placements is None else placements,
            seen.running,
            supports={name: provider.supports for name, provider in self.providers.items()},
            blast_radius=1.0,
            unreachable=seen.unreachable,
        )

    async def apply(self, steps: Plan | None = None, *, within: float = 5.0) -> list[Event]:
        steps = steps or await self.plan()
        self.history.clear()
        events = apply(
            steps,
            providers=self._providers,
            edges=[self.edge],
            ready_within=Duration(within),
            drain=Duration(0.01),
        )
        return [event async for event in events]

    @property
    def _providers(self) -> dict[str, Provider]:
        return {**self.providers}


@pytest.fixture
async def small() -> AsyncIterator[SmallFleet]:
    fleet = SmallFleet()
    yield fleet
    for provider in fleet.providers.values():
        await provider.aclose()


async def test_an_edge_starts_first_and_lets_visitors_in_as_soon_as_something_is_ready(small: SmallFleet) -> None:
    events = await small.apply()
    assert small.history[:2] == ["prepare here", "start edge at here"]
    starts = [line for line in small.history if line.startswith("start reader")]
    assert sorted(starts) == ["start reader-1 at north", "start reader-1 at south"]
    routes = [line for line in small.history if line == "route here"]
    assert len(routes) in (2, 3)  # for the first copy, for the second unless it was as early, and for all of them
    assert small.history[-1] == "route here"
    assert small.edge.places == [("reader", "north"), ("reader", "south")]
    assert [event.what for event in events if event.site == "north"] == [What.STARTING, What.STARTED, What.READY]
    assert events[-1].what is What.ROUTED
    assert [event.seconds for event in events] == sorted(event.seconds for event in events)


async def test_applying_twice_changes_nothing(small: SmallFleet) -> None:
    await small.apply()
    routes = small.edge.routes
    steps = await small.plan()
    assert steps.empty
    events = await small.apply(steps)
    assert small.history == ["route here"]
    assert [event.what for event in events] == [What.ROUTED]
    assert small.edge.routes == routes


async def test_a_new_version_starts_beside_the_old_one_which_stops_after_the_routes_have_moved(
    small: SmallFleet,
) -> None:
    await small.apply()
    small.version = "2"
    await small.apply()
    assert small.history[2] == "route here"
    assert all(step.startswith("start reader") for step in small.history[:2])
    assert all(step.startswith("stop reader") for step in small.history[3:])
    assert (await small.plan()).empty


async def test_a_copy_that_is_never_ready_leaves_everything_as_it_was(small: SmallFleet) -> None:
    await small.apply()
    before, routes = (await survey({**small.providers})).running, small.edge.routes
    small.version = "2"
    small.providers["north"].ill.add("reader")
    with pytest.raises(ApplyFailed) as caught:
        await small.apply(within=0.3)
    assert caught.value.exit_code is ExitCode.FAULT
    assert str(caught.value).splitlines() == [
        "north: reader-1: was not ready within 300 ms: answered 503: busy",
        "  its last lines:",
        "    I start",
        "    [31mI am ill",
        "  Nothing has changed: what this had started is stopped again, and what ran before runs on.",
    ]
    assert (await survey({**small.providers})).running == before
    assert small.edge.routes == routes
    assert "route here" not in small.history


async def test_a_port_in_use_fails_before_anything_else_is_started(small: SmallFleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        small.edge.port = taken.getsockname()[1]
        with pytest.raises(ApplyFailed, match=r"port \d+ is taken") as caught:
            await small.apply()
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert small.history == ["prepare here"]


async def test_a_table_that_is_refused_stops_what_was_started(small: SmallFleet) -> None:
    await small.apply()
    small.edge.refuses = "board"
    with pytest.raises(ApplyFailed, match="the table was refused") as caught:
        await small.apply(await small.plan(small.wanted("reader", "board")))
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert small.edge.places == [("reader", "north"), ("reader", "south")]
    assert {step for step in small.history if "board" in step} == {
        "start board-1 at north",
        "start board-1 at south",
        "stop board-1 at north",
        "stop board-1 at south",
    }


async def test_going_away_in_the_middle_stops_what_was_started(small: SmallFleet) -> None:
    small.providers["north"].ill.add("reader")
    steps = await small.plan()
    events = apply(steps, providers={**small.providers}, edges=[small.edge])
    async for event in events:
        if event.what is What.READY:
            break
    await events.aclose()  # type: ignore[attr-defined]
    assert all(not copies for copies in (await survey({**small.providers})).running.values())


async def test_a_cancelled_apply_stops_what_was_started(small: SmallFleet) -> None:
    small.providers["north"].ill.add("reader")
    task = asyncio.create_task(small.apply())
    while "start reader-1 at north" not in small.history:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(not copies for copies in (await survey({**small.providers})).running.values())


async def test_copies_that_were_killed_come_back_with_their_new_ports(small: SmallFleet) -> None:
    await small.apply()
    routes = small.edge.routes
    await small.providers["north"].kill(small.workload("reader").key, State.STOPPED)
    await small.apply()
    assert small.edge.places == [("reader", "north"), ("reader", "south")]
    assert small.edge.routes[0] != routes[0]
    assert small.edge.routes[1] == routes[1]


async def test_an_orphan_that_is_wanted_is_adopted_and_never_stopped(small: SmallFleet) -> None:
    await small.apply()
    small.providers["north"].orphan(small.workload("reader").key)
    events = await small.apply()
    assert small.history == ["adopt reader-1 at north", "route here"]
    assert [event.what for event in events] == [What.ADOPTED, What.ROUTED]
    assert (await small.plan()).empty


async def test_a_site_that_cannot_be_observed_is_left_alone_and_keeps_its_visitors(small: SmallFleet) -> None:
    await small.apply()
    small.version = "2"
    small.providers["south"].down = "the account is suspended"
    steps = await small.plan()
    with pytest.raises(UnsafePlan, match="unreachable-site: south cannot be observed"):
        steps.refuse()
    steps.refuse(["unreachable-site"])
    old_south = small.edge.routes[1]
    await small.apply(steps)
    assert "start reader-1 at north" in small.history
    assert not any("south" in step for step in small.history)
    assert small.edge.places == [("reader", "north"), ("reader", "south")]
    assert small.edge.routes[1] == old_south


async def test_what_cannot_be_stopped_is_named_after_everything_else_is_done(small: SmallFleet) -> None:
    await small.apply()
    small.version = "2"
    small.providers["north"].stuck.add("reader")
    with pytest.raises(ApplyFailed, match=r"reader-1 at north: .*it does not end") as caught:
        await small.apply()
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "stop reader-1 at south" in small.history
    assert "Everything new runs" in caught.value.hint


async def test_a_teardown_stops_everything(small: SmallFleet) -> None:
    await small.apply()
    steps = teardown((await survey({**small.providers})).running)
    assert not steps.risks
    async for _ in apply(steps, providers={**small.providers}, edges=[]):
        pass
    assert all(not copies for copies in (await survey({**small.providers})).running.values())


async def test_a_workload_with_nothing_to_ask_is_ready_when_it_runs(small: SmallFleet) -> None:
    quiet = replace(small.workload("quiet"), ports={})
    await small.apply(await small.plan([*small.wanted(), Placement(site="north", workload=quiet)]))
    assert small.edge.places == [("reader", "north"), ("reader", "south")]
