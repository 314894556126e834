"""What a running Envoy says of itself, asked through its admin socket."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from amalthea.edge.errors import EdgeUnreachable

_TIMEOUT = 2.0
# What keeps a host from being chosen; "timeout" alone only says how its last check failed.
_SICK = ("failed_active_health_check", "failed_outlier_check")


class Health(StrEnum):
    """What Envoy makes of one host; `pending` until its first check has ended, well or not."""

    HEALTHY = "healthy"
    SICK = "sick"
    PENDING = "pending"


class Admin:
    """The admin interface behind `socket`. Every method raises `EdgeUnreachable` when nobody answers."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    async def versions(self) -> dict[str, str]:
        """The version in force of every dynamic resource file, by the name of its statistic."""
        text = await self._get("/stats?filter=version_text")
        return {name: value.strip('" ') for name, _, value in (line.partition(":") for line in text.splitlines())}

    async def hosts(self) -> dict[str, dict[tuple[str, int], Health]]:
        """For each cluster, the hosts that it may choose from, and the health of each."""
        found = msgspec.json.decode(await self._get("/clusters?format=json"))
        return {
            cluster["name"]: dict(_host(host) for host in cluster.get("host_statuses", ()))
            for cluster in found.get("cluster_statuses", ())
        }

    async def _get(self, path: str) -> str:
        try:
            # A socket file has no TLS; loading the certificates of the world for each question takes longer than it.
            transport = httpx2.AsyncHTTPTransport(uds=str(self.socket), verify=False)
            async with httpx2.AsyncClient(transport=transport, timeout=_TIMEOUT) as client:
                answer = await client.get(f"http://edge{path}")
        except (httpx2.HTTPError, OSError) as error:
            raise EdgeUnreachable(
                f"no Envoy answers ({error or type(error).__name__})",
                where=str(self.socket),
                hint="See `amalthea ps` and `amalthea logs edge`.",
            ) from None
        return answer.text


def _host(status: Mapping[str, Any]) -> tuple[tuple[str, int], Health]:
    address = status["address"]["socket_address"]
    flags = status.get("health_status", {})
    if flags.get("pending_active_hc"):
        health = Health.PENDING
    else:
        health = Health.SICK if any(flags.get(flag) for flag in _SICK) else Health.HEALTHY
    return (address["address"], address["port_value"]), health
