"""Clusters and endpoints in Envoy's words (CDS and EDS).

Some defaults of Envoy would hurt here, and each is set otherwise below: with half of the hosts sick it sends
to the sick ones too (panic); five answers of 500 in a row eject a host, so that one broken page could take a
service away; and only three retries may run at once, just when an outage needs many.
"""

from __future__ import annotations

import socket
from itertools import groupby
from pathlib import Path
from typing import Any

from amalthea.edge.table import Cluster, Host

READY = "/-/readyz"
MANY = 8192

Resource = dict[str, Any]


def cluster(cluster: Cluster, *, directory: Path) -> Resource:
    """One cluster; its endpoints come from a file of its own below `directory`."""
    made: Resource = {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": cluster.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": source(directory / "endpoints", cluster.name)},
        "connect_timeout": "0.5s",
        "lb_policy": "LEAST_REQUEST",
        # News of health goes to the workers at once: by default it waits a second for more.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        "outlier_detection": _OUTLIERS,
        "circuit_breakers": {"thresholds": [_LIMITS]},
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 30}},
        # A copy that fails its checks loses its connections, HTTP ones as soon as nothing is under way on them.
        "close_connections_on_host_health_failure": True,
        # A copy that is gone from the files is gone, whatever its last check said.
        "ignore_health_on_host_removal": True,
    }
    if cluster.checked:
        made["health_checks"] = [_CHECK]
    if cluster.loyal:
        made |= _LONG_LIVED
    return made


_LIMITS = {
    "max_connections": MANY,
    "max_pending_requests": MANY,
    "max_requests": MANY,
    "retry_budget": {"budget_percent": {"value": 50}, "min_retry_concurrency": 200},
}

# Failed checks leave an open stream as it is, and one without a time limit would wait for ever for a machine that is
# gone without a word. So its silence ends the connection: idle after 5 + 3 x 2 s, with data under way after 10 s.
_LONG_LIVED: Resource = {
    "upstream_connection_options": {
        "tcp_keepalive": {"keepalive_time": 5, "keepalive_interval": 2, "keepalive_probes": 3}
    },
    "upstream_bind_config": {
        "socket_options": [
            {
                "level": socket.IPPROTO_TCP,
                "name": socket.TCP_USER_TIMEOUT,
                "int_value": 10_000,
                "state": "STATE_PREBIND",
            }
        ]
    },
}

_CHECK = {
    "timeout": "1s",
    "interval": "1s",
    "no_traffic_interval": "1s",
    "unhealthy_interval": "1s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    "http_health_check": {"path": READY},
}

# Answers never eject a host, whatever their status: pages fail for reasons of their own. Failed connections do, and so
# does an answer that is late enough to be raced, hence the high threshold: thirty slow pages at once are no outage,
# a hundred requests in a row without an answer are. Half of the hosts always stay.
_OUTLIERS = {
    "enforcing_consecutive_5xx": 0,
    "enforcing_consecutive_gateway_failure": 0,
    "enforcing_success_rate": 0,
    "split_external_local_origin_errors": True,
    "consecutive_local_origin_failure": 100,
    "enforcing_consecutive_local_origin_failure": 100,
    "enforcing_local_origin_success_rate": 0,
    "interval": "1s",
    "base_ejection_time": "2s",
    "max_ejection_time": "5s",
    "max_ejection_percent": 50,
}

# In percent: a priority takes all requests while that many times its share of well copies makes the whole. With Envoy's
# own 140, the loss of one copy of two would send three requests in ten to another site.
_ONE_IS_ENOUGH = 100_000


def assignment(cluster: Cluster) -> Resource:
    """The endpoints of one cluster, the nearest ones first."""
    made: Resource = {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster.name,
        "endpoints": [
            {"priority": level, "locality": {"zone": "-"}, "lb_endpoints": [_endpoint(host) for host in hosts]}
            for level, hosts in enumerate(_levels(cluster.hosts))
        ],
    }
    if cluster.loyal:
        made["policy"] = {"overprovisioning_factor": _ONE_IS_ENOUGH}
    return made


def _levels(hosts: tuple[Host, ...]) -> list[list[Host]]:
    """Hosts by priority; priorities without hosts are left out, since Envoy wants none skipped."""
    return [list(group) for _, group in groupby(sorted(hosts), key=lambda host: host.priority)]


def _endpoint(host: Host) -> Resource:
    check: Resource = {"port_value": host.ready_port}
    if host.name:
        check["hostname"] = host.name
    address = {"socket_address": {"address": host.address, "port_value": host.port}}
    return {"endpoint": {"address": address, "hostname": host.name, "health_check_config": check}}


def source(directory: Path, kind: str) -> Resource:
    """Where Envoy reads resources of one kind: a file that is replaced by renaming."""
    return {
        "resource_api_version": "V3",
        "path_config_source": {
            "path": str(directory / f"{kind}.json"),
            "watched_directory": {"path": str(directory)},
        },
    }
