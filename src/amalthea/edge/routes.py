"""The table's rows in Envoy's words (RDS)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from amalthea.edge.hosts import wild
from amalthea.edge.keys import authorities, paths
from amalthea.edge.pages import Entry, index, nothing_here
from amalthea.edge.table import Row, Table, Traffic
from amalthea.model.edge import HOP_HEADER, SITE_HEADER
from amalthea.model.fleet import Fleet

NAME = "main"
PAGE_BYTES = 1 << 16

# A retry draws a copy anew until it is one not tried yet. The draw favours the least busy, which a copy that has just
# died is: with few draws (Envoy's default is one, five lose one in six) the dead copy is asked again.
DRAWS = 50

_ELSEWHERE = {
    "host_selection_retry_max_attempts": DRAWS,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "retry_priority": {
        "name": "envoy.retry_priorities.previous_priorities",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3."
            "PreviousPrioritiesConfig",
            "update_frequency": 1,
        },
    },
    "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.1s"},
}
_NEVER_DELIVERED = {"retry_on": "connect-failure,refused-stream", "num_retries": 3, **_ELSEWHERE}
_NO_ANSWER = {"retry_on": "connect-failure,refused-stream,reset,gateway-error", "num_retries": 2, **_ELSEWHERE}


def route_configuration(table: Table, fleet: Fleet, entries: Sequence[Entry]) -> dict[str, Any]:
    """Every public name, the list of services on the fleet's own name, and a page for any other."""
    hosts = [
        {"name": host, "domains": [host], "routes": [_route(table.site, row) for row in rows]}
        for host, rows in groupby(table.rows, key=lambda row: row.host)
    ]
    # On a laptop people also type the address that the terminal shows.
    here = ["127.0.0.1", "[::1]"] if fleet.local else []
    home = {
        "name": "home",
        "domains": [fleet.names.domain, fleet.names.host("www"), *here],
        "routes": [_exactly("/", _page(200, index(fleet.name, entries))), _lost(fleet)],
    }
    other = {"name": "other", "domains": ["*"], "routes": [_lost(fleet)]}
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": NAME,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": PAGE_BYTES,
        "request_headers_to_add": [_set(HOP_HEADER, table.site)],
        "request_headers_to_remove": [SITE_HEADER],
        "virtual_hosts": [*hosts, home, other],
    }


def _route(site: str, row: Row) -> dict[str, Any]:
    match = _path(row) | {"headers": _headers(row)}
    if not row.cluster:
        return {"match": match, **_page(508, "This request has been forwarded once already.\n")}
    return {"match": match, "route": {"cluster": row.cluster, **_action(row)}}


def _headers(row: Row) -> list[dict[str, Any]]:
    match row.traffic:
        case Traffic.PINNED:
            return [{"name": SITE_HEADER, "string_match": {"exact": row.site}}]
        case Traffic.FORWARDED:
            return [{"name": HOP_HEADER, "present_match": True}]
        case Traffic.KEYED if wild(row.host):
            regex = authorities(row.host, row.site)
            return [{"name": ":authority", "string_match": {"safe_regex": {"regex": regex}}}]
        case Traffic.WEBSOCKET:
            return [{"name": "upgrade", "string_match": {"exact": "websocket", "ignore_case": True}}]
        case Traffic.IDEMPOTENT:
            return [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}]
        case Traffic.KEYED | Traffic.OTHER:
            return []


def _action(row: Row) -> dict[str, Any]:
    timeout = {"timeout": f"{float(row.route.timeout):.3f}s"}
    upgrade = {"upgrade_configs": [{"upgrade_type": "websocket", "enabled": row.route.websocket}]}
    if row.traffic is Traffic.WEBSOCKET or row.route.keyed:
        return {"timeout": "0s", "idle_timeout": "3600s", "retry_policy": _NEVER_DELIVERED, **upgrade}
    if row.traffic is not Traffic.IDEMPOTENT:
        return {**timeout, "retry_policy": _NEVER_DELIVERED, **upgrade}
    if row.route.hedge is None:
        return {**timeout, "retry_policy": _NO_ANSWER, **upgrade}
    raced = {**_NO_ANSWER, "per_try_timeout": f"{float(row.route.hedge):.3f}s"}
    return {**timeout, "retry_policy": raced, "hedge_policy": {"hedge_on_per_try_timeout": True}, **upgrade}


def _path(row: Row) -> dict[str, Any]:
    if row.traffic is Traffic.KEYED and not wild(row.host):
        return {"safe_regex": {"regex": paths(row.prefix, row.site)}}
    return {"prefix": "/"} if row.prefix == "/" else {"path_separated_prefix": row.prefix.rstrip("/")}


def _exactly(path: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"match": {"path": path}, **answer}


def _lost(fleet: Fleet) -> dict[str, Any]:
    return {"match": {"prefix": "/"}, **_page(404, nothing_here(fleet.names.home))}


def _page(status: int, body: str) -> dict[str, Any]:
    kind = "text/html; charset=utf-8" if body.startswith("<") else "text/plain; charset=utf-8"
    return {
        "direct_response": {"status": status, "body": {"inline_string": body}},
        "response_headers_to_add": [
            _set("content-type", kind),
            _set("cache-control", "no-store" if status >= 400 else "max-age=60"),
        ],
    }


def _set(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
