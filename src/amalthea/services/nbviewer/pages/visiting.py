"""All that visitors can ask for, put together: our own pages first, then those of the sources."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from amalthea.model.clock import Clock
from amalthea.model.fleet import Names
from amalthea.services.nbviewer.content.raw_files import RawAddresses
from amalthea.services.nbviewer.crowds import Crowds
from amalthea.services.nbviewer.pages.basing import ROOT
from amalthea.services.nbviewer.pages.diffing import Diffing
from amalthea.services.nbviewer.pages.fronting import Fronting
from amalthea.services.nbviewer.pages.frontpage import front
from amalthea.services.nbviewer.pages.launching import Launching
from amalthea.services.nbviewer.pages.sample import Sample
from amalthea.services.nbviewer.pages.uploading import Uploading
from amalthea.services.nbviewer.pages.viewing import Viewing
from amalthea.services.nbviewer.paste.rewriting import rules
from amalthea.services.nbviewer.press.press import Press
from amalthea.services.nbviewer.press.workers import Workers
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import Source
from amalthea.web.templates import Pages


def routes(
    settings: Settings,
    *,
    names: Names,
    own_url: str,
    sources: Sequence[Source],
    sample: Sample,
    press: Press,
    workers: Workers,
    crowds: Crowds,
    pages: Pages,
    csp: str,
    icon: str,
    clock: Clock,
    base: str = ROOT,
    raw: RawAddresses | None = None,
) -> Sequence[BaseRoute]:
    """Every route of the visitors' application; the first that fits wins. Raises `UsageError` for bad settings.

    `own_url` is this service's public address, `csp` the policy of pages that show notebooks.
    """
    own_servers = names.url("try") if "tmpnb" in names.services else ""
    viewing = Viewing(
        (sample, *sources),
        press=press,
        pages=pages,
        launching=Launching(settings.launch, binder=settings.binder_url, **{"try": own_servers}),
        csp=csp,
        age=int(settings.fresh),
        clock=clock,
        base=base,
        raw=raw,
    )
    table = rules(settings, own_url=own_url + base)
    fronting = Fronting(settings, front(settings), rules=table, pages=pages, csp=csp, icon=icon, base=base)
    diffing = Diffing(viewing, press=press, pages=pages, rules=table, csp=csp, clock=clock, base=base)
    uploading = Uploading(workers, limit=settings.notebook_limit, csp=csp, front=base, crowds=crowds, clock=clock)
    return [*fronting.routes(), *uploading.routes(), *diffing.routes(), *viewing.routes()]
