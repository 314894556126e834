"""Ids that name a site, `k3j9x8q2-north`, and where requests carry them.

In the path, right behind a route's prefix, or as the label in place of a wildcard in its host. Both are regular
expressions that Python and Envoy read alike, so that the table can be tested as a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from amalthea.edge.hosts import authority


def longest_first(sites: Iterable[str]) -> list[str]:
    """Sites in the order in which an id is compared with them: `k3j9-far-north` also ends in `-north`."""
    return sorted(sites, key=lambda site: (-len(site), site))


def paths(prefix: str, site: str) -> str:
    """The regular expression of the paths below `prefix`, without a query, whose id ends in `-site`."""
    return f"{re.escape(prefix.rstrip('/'))}/{_ids(site)}(/.*)?"


def authorities(host: str, site: str) -> str:
    """The regular expression of the Host headers below the wildcard `host` whose label ends in `-site`."""
    return authority(host, label=_ids(site))


def _ids(site: str) -> str:
    return f"[A-Za-z0-9-]+-{re.escape(site)}"
