"""What Envoy is started with: where its resources come from, and nothing that ever changes.

The admin interface is a socket file in a directory of ours: on a port, any page in a browser on this machine
could tell Envoy to quit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amalthea.edge.clusters import source

MAX_CONNECTIONS = 20_000


def bootstrap(site: str, fleet: str, *, directory: Path, admin: Path) -> dict[str, Any]:
    """The bootstrap of the edge at `site`; its resources are files in `directory`."""
    return {
        "node": {"id": f"edge-{site}", "cluster": fleet},
        "admin": {"address": {"pipe": {"path": str(admin), "mode": 0o600}}},
        "dynamic_resources": {"lds_config": source(directory, "lds"), "cds_config": source(directory, "cds")},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3."
                        "DownstreamConnectionsConfig",
                        "max_active_downstream_connections": MAX_CONNECTIONS,
                    },
                }
            ]
        },
    }


def arguments(file: Path, *, concurrency: int) -> tuple[str, ...]:
    """Envoy's command line. Unknown fields are refused: a misspelt table would otherwise be an empty one."""
    return (
        "envoy",
        "--config-path",
        str(file),
        "--concurrency",
        str(concurrency),
        "--disable-hot-restart",
        "--reject-unknown-dynamic-fields",
        "--log-level",
        "warning",
        "--drain-time-s",
        "5",
    )
