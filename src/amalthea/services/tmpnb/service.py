"""tmpnb as the fleet knows it: its routes, probes, data and process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from amalthea.model.dataset import Dataset
from amalthea.model.errors import UsageError
from amalthea.model.fleet import Fleet, Site
from amalthea.model.probe import Probe
from amalthea.model.route import Fallback, Route
from amalthea.model.service import Runtime
from amalthea.model.spawner import Spawner
from amalthea.model.units import Duration
from amalthea.model.workload import Workload
from amalthea.services.tmpnb import moves
from amalthea.services.tmpnb.opening import opened
from amalthea.services.tmpnb.operating import Operating
from amalthea.services.tmpnb.pages.front import FRONT_TEXT
from amalthea.services.tmpnb.places import HOST, Places
from amalthea.services.tmpnb.settings import Settings
from amalthea.services.tmpnb.work.keys import PREFIX
from amalthea.web import server
from amalthea.web.admin import admin_application
from amalthea.web.metrics import registry as new_registry

log = logging.getLogger(__name__)

NAME = "tmpnb"
_GRACE = Duration(45)


class Tmpnb:
    """Gives anybody a notebook server of his own, for a while."""

    name = NAME
    summary = "a private notebook server in a click, for a while"
    settings: type[Any] = Settings
    watches = False
    copies = False

    def routes(self, settings: Settings, fleet: Fleet) -> Sequence[Route]:
        """The front page at any site; a session at the site that its name ends in."""
        page = settings.fallback
        front = Route(service=NAME, host=HOST, timeout=Duration(0), fallback=Fallback(redirect=page))
        if Places(fleet.names, session_hosts=settings.session_hosts).by_name:
            return (front, Route(service=NAME, host=f"*.{HOST}", timeout=Duration(0), keyed=True))
        return (front, Route(service=NAME, host=HOST, prefix="/user", timeout=Duration(0), keyed=True))

    def probes(self, settings: Settings, fleet: Fleet) -> Sequence[Probe]:
        """The front page, and that the API says how many places there are."""
        return (
            Probe(name="front page", host=HOST, path="/", contains=FRONT_TEXT),
            Probe(name="places", host=HOST, path="/api/stats", contains='"capacity"'),
        )

    def datasets(self, settings: Settings) -> Sequence[Dataset]:
        """What visitors made, kept for a while; and where their sessions went."""
        return (
            Dataset(prefix=PREFIX, retention=settings.keep, backup=False, rpo=settings.save_every),
            Dataset(prefix=moves.PREFIX, retention=settings.keep, backup=False),
        )

    def workloads(self, settings: Settings, site: Site) -> Sequence[Workload]:
        """One process; it needs a while to save everybody's work when it ends."""
        return (Workload(name=NAME, service=NAME, argv=("amalthea", "serve", NAME), grace=_GRACE),)

    async def serve(self, settings: Settings, site: Site, runtime: Runtime) -> None:
        """Answer visitors until cancelled. Raises `PortInUse`, `UsageError`."""
        registry = new_registry()
        async with opened(settings, site, runtime=runtime, registry=registry) as tmpnb:
            _check_walls(tmpnb.spawner, settings, site)
            admin = admin_application(tmpnb.ready, registry, Operating(tmpnb, clock=runtime.clock).routes())
            await server.serve(tmpnb.application, admin, runtime.listen, websockets=tmpnb.tunnels)


def _check_walls(spawner: Spawner, settings: Settings, site: Site) -> None:
    """Raises `UsageError` where strangers would meet a wall that is not there."""
    missing = [wall for wall in spawner.guarantees() if not wall.holds]
    if not missing:
        return
    told = "; ".join(f"{wall.name}: {wall.detail or 'missing'}" for wall in missing)
    domain = site.names.domain
    if settings.unprotected or domain == "localhost" or domain.endswith(".localhost"):
        log.warning("sessions are not walled in as they should be (%s)", told)
        return
    raise UsageError(
        f"walls around sessions are missing on this machine ({told})",
        where="services.tmpnb",
        hint="`amalthea doctor` says what they are for. Run this as root, on a kernel that has them; or set "
        "`unprotected = true` where everybody who comes is trusted with the machine.",
    )
