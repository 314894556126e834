"""Carry out a plan so that no visitor notices.

New copies start beside the old ones; when every one of them answers, the edges send visitors to them, and
only then the old ones are stopped. Until the routes have moved, everything can be undone: if a new copy does
not come up, or the caller goes away, what was started is stopped again and the fleet is as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from amalthea.fleet.change import Action, Change, lives
from amalthea.fleet.endpoints import endpoints
from amalthea.fleet.errors import ApplyFailed
from amalthea.fleet.event import Event, Report, What
from amalthea.fleet.plan import Plan
from amalthea.fleet.starting import NotUp, last_lines, start, until_ready
from amalthea.fleet.survey import survey
from amalthea.model.edge import Edge
from amalthea.model.errors import ExitCode, Unreachable
from amalthea.model.provider import Provider
from amalthea.model.route import Endpoint
from amalthea.model.units import Duration
from amalthea.model.workload import EDGE, Running, Workload

READY_WITHIN = Duration(30)
DRAIN = Duration(0.5)
GRACE = Duration(10)
HEALTH_WITHIN = 3.0
UNDONE = "Nothing has changed: what this had started is stopped again, and what ran before runs on."


async def apply(
    plan: Plan,
    *,
    providers: Mapping[str, Provider],
    edges: Sequence[Edge],
    ready_within: Duration = READY_WITHIN,
    drain: Duration = DRAIN,
) -> AsyncIterator[Event]:
    """Carry out a plan, and tell what happens as it happens.

    The routes are published even when nothing changes. `drain` is how long old copies are left to finish what
    they answer; a workload that is no longer wanted has `GRACE` to end. Raises `ApplyFailed`. Closing the
    iterator early undoes what can be undone. `Plan.refuse` is the caller's business.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def report(what: What, site: str, workload: str, detail: str) -> None:
        event = Event(what=what, site=site, workload=workload, seconds=loop.time() - began, detail=detail)
        queue.put_nowait(event)

    work = _Application(plan, providers, edges, ready_within=ready_within, drain=drain, report=report)
    task = asyncio.create_task(work.run())
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (event := await queue.get()) is not None:
            yield event
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Application:
    """One run of `apply`: what it has started, and where the edges have been sent."""

    def __init__(
        self,
        plan: Plan,
        providers: Mapping[str, Provider],
        edges: Sequence[Edge],
        *,
        ready_within: Duration,
        drain: Duration,
        report: Report,
    ) -> None:
        self._plan = plan
        self._providers = providers
        self._edges = [edge for edge in edges if edge.site not in plan.unreachable]
        self._ready_within = ready_within
        self._drain = drain
        self._report = report
        self._started: list[tuple[str, Workload]] = []
        self._copies: dict[tuple[str, str], Running] = {}
        self._moved: list[Edge] = []
        self._fresh: list[Edge] = []
        self._shown = 0
        self._opening = asyncio.Lock()

    async def run(self) -> None:
        try:
            await self._start_edges()
            await self._start_services()
            await self._move_routes()
        except NotUp as error:
            raise await self._failure(error) from error
        except BaseException:
            await self._undo()
            raise
        await self._stop_old()

    async def _start_edges(self) -> None:
        """Before all else: a fixed port that somebody else holds is found while nothing has changed."""
        by_site = {edge.site: edge for edge in self._edges}
        for site, workload in self._wanted(Action.START, Action.REPLACE):
            if workload.service == EDGE:
                await by_site[site].prepare(self._before())
                await self._start(site, workload)
        if not self._before():
            self._fresh = [edge for edge in self._edges if any(site == edge.site for site, _ in self._started)]

    async def _start_services(self) -> None:
        new = [place for place in self._wanted(Action.START, Action.REPLACE) if place[1].service != EDGE]
        orphans = self._wanted(Action.ADOPT)
        try:
            async with asyncio.TaskGroup() as tasks:
                for site, workload in new:
                    tasks.create_task(self._bring_up(site, workload))
                for site, workload in orphans:
                    tasks.create_task(self._adopt(site, workload))
        except ExceptionGroup as group:
            # The first to fail has made the others stop waiting, so it is the one to tell of.
            raise next((error for error in group.exceptions if isinstance(error, NotUp)), group) from None

    async def _start(self, site: str, workload: Workload) -> Running:
        self._report(What.STARTING, site, workload.name, "")
        self._started.append((site, workload))
        copy = await start(site, self._providers[site], workload)
        self._report(What.STARTED, site, workload.name, _ports(copy))
        return copy

    async def _bring_up(self, site: str, workload: Workload) -> None:
        copy = await self._start(site, workload)
        within = self._ready_within
        copy = await until_ready(site, self._providers[site], workload, copy, within=within)
        self._copies[site, workload.key] = copy
        self._report(What.READY, site, workload.name, "")
        await self._open_early()

    async def _open_early(self) -> None:
        """Where nothing was served before, visitors need not wait for the slowest service to see the first."""
        async with self._opening:
            if self._shown == len(self._copies):  # somebody else's turn has shown this copy too
                return
            self._shown = len(self._copies)
            where = endpoints([(site, copy) for (site, _), copy in self._copies.items()])
            for edge in self._fresh:
                await self._route(edge, where)

    async def _adopt(self, site: str, workload: Workload) -> None:
        self._copies[site, workload.key] = await start(site, self._providers[site], workload)
        self._report(What.ADOPTED, site, workload.name, "")

    async def _move_routes(self) -> None:
        where = endpoints(await self._now())
        for edge in self._edges:
            self._moved.append(edge)
            await self._route(edge, [*where, *await self._frozen(edge)])
            self._report(What.ROUTED, edge.site, EDGE, f"{len(where)} copies")

    async def _route(self, edge: Edge, where: Sequence[Endpoint]) -> None:
        try:
            async with asyncio.timeout(self._ready_within):
                await edge.route(where)
        except (Unreachable, TimeoutError) as error:
            reason = str(error) or f"did not take its routes within {self._ready_within}"
            workload = self._edge_workload(edge)
            raise NotUp(edge.site, workload, reason, exit_code=ExitCode.UNREACHABLE) from error

    async def _frozen(self, edge: Edge) -> list[Endpoint]:
        """What the edge already knows of sites that cannot be observed: they may serve all the same."""
        if not self._plan.unreachable:
            return []
        try:
            async with asyncio.timeout(HEALTH_WITHIN):
                return [known for known in await edge.healthy() if known.site in self._plan.unreachable]
        except (Unreachable, TimeoutError):
            # An edge that has just been started knows nothing yet.
            return []

    async def _stop_old(self) -> None:
        old = [(change, copy) for change in self._plan.changes for copy in change.old]
        if self._edges and any(lives(copy) for _, copy in old):
            await asyncio.sleep(self._drain)
        troubles = await asyncio.gather(*(self._stop(change, copy) for change, copy in old))
        if found := [trouble for trouble in troubles if trouble]:
            raise ApplyFailed(
                "\n  ".join(["not everything could be stopped", *found]),
                hint="Everything new runs and has the visitors; apply again to stop the rest.",
                exit_code=ExitCode.UNREACHABLE,
            )

    async def _stop(self, change: Change, copy: Running) -> str:
        """What went wrong, or ""."""
        self._report(What.STOPPING, change.site, copy.name, "")
        grace = change.workload.grace if change.workload else GRACE
        try:
            await self._providers[change.site].stop(copy.key, grace=grace)
        except Unreachable as error:
            return f"{copy.name} at {change.site}: {error}"
        self._report(What.STOPPED, change.site, copy.name, "")
        return ""

    async def _failure(self, error: NotUp) -> ApplyFailed:
        key = error.workload.key
        lines = [f"    {line}" for line in await last_lines(self._providers[error.site], key)]
        log = ["  its last lines:", *lines] if lines else []
        troubles = await self._undo()
        hint = "\n  ".join(["But not everything could be undone:", *troubles]) if troubles else UNDONE
        return ApplyFailed(
            "\n".join([f"{error.workload.name}: {error.reason}", *log]),
            where=error.site,
            hint=hint,
            exit_code=error.exit_code,
        )

    async def _undo(self) -> list[str]:
        """Send visitors back to where they were and stop what was started; what went wrong with that."""
        new = {site for site, workload in self._started if workload.service == EDGE}
        back = [self._undo_routes(edge) for edge in self._moved if edge.site not in new]
        troubles = await asyncio.gather(*back)
        troubles += await asyncio.gather(*(self._undo_start(site, workload) for site, workload in self._started))
        return [trouble for trouble in troubles if trouble]

    async def _undo_routes(self, edge: Edge) -> str:
        try:
            await self._route(edge, [*self._before(), *await self._frozen(edge)])
        except NotUp as error:
            return f"the routes of the edge at {edge.site}: {error.reason}"
        return ""

    async def _undo_start(self, site: str, workload: Workload) -> str:
        try:
            await self._providers[site].stop(workload.key, grace=workload.grace)
        except Unreachable as error:
            return f"{workload.name} at {site} still runs: {error}"
        self._report(What.STOPPED, site, workload.name, "not needed")
        return ""

    def _wanted(self, *actions: Action) -> list[tuple[str, Workload]]:
        return [(change.site, change.workload) for change in self._plan.of(*actions) if change.workload is not None]

    def _edge_workload(self, edge: Edge) -> Workload:
        wanted = (workload for site, workload in self._wanted(*Action) if site == edge.site)
        return next((workload for workload in wanted if workload.service == EDGE), edge.workload())

    def _before(self) -> list[Endpoint]:
        """Where visitors could be sent when the plan was made."""
        copies = [(change.site, copy) for change in self._plan.changes for copy in change.old]
        kept = [(change.site, change.running) for change in self._plan.changes if change.running is not None]
        return endpoints([*copies, *kept])

    async def _now(self) -> list[tuple[str, Running]]:
        """What is wanted, as it runs now: a port may have changed since the plan was made."""
        reachable = {site: self._providers[site] for site, _ in self._wanted(*Action)}
        seen = (await survey(reachable)).running
        known = {
            (change.site, change.running.key): change.running for change in self._plan.changes if change.running
        } | self._copies
        found = [
            (site, seen.get(site, {}).get(workload.key) or known.get((site, workload.key)))
            for site, workload in self._wanted(*Action)
        ]
        return [(site, copy) for site, copy in found if copy is not None]


def _ports(copy: Running) -> str:
    return ", ".join(f"{name} {copy.address}:{port}" for name, port in copy.ports.items())
