"""A question whose answer says whether a service works, and the answer."""

from __future__ import annotations

from datetime import datetime

import msgspec

from amalthea.model.units import Duration


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A GET of `path` has to answer `status` and hold `contains`.

    `host` is the public name that it is asked under, as in a route; the service's own when empty.
    """

    name: str
    host: str = ""
    path: str = "/"
    status: int = 200
    contains: str = ""
    timeout: Duration = Duration(5)


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One probe of one service at one site, with all that is needed to ask.

    `url` is where the request goes; `headers` pick the public name and the site.
    """

    service: str
    site: str
    probe: Probe
    url: str
    headers: dict[str, str] = {}


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one probe: `ok`, how long it took in seconds, when it was asked, and what was wrong."""

    ok: bool
    at: datetime
    seconds: float
    detail: str = ""
