"""The listener in Envoy's words (LDS): HTTP, the access log, and what visitors get when no site has a service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from amalthea.edge.clusters import READY, source
from amalthea.edge.hosts import authority
from amalthea.edge.pages import unavailable
from amalthea.edge.routes import NAME
from amalthea.edge.table import Table, pinned
from amalthea.model.fleet import HERE, Fleet
from amalthea.model.route import Route

# Answers that Envoy makes itself because no copy answered: none healthy, connection failed, retries used up, timed
# out, none left, connection cut, failed its check.
_NOBODY = ["UH", "UF", "URX", "UT", "UO", "UC", "LH", "NC"]
_LOG = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "upstream": "%UPSTREAM_HOST%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes": "%BYTES_SENT%",
    "ms": "%DURATION%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
# Queries of keyed routes hold tokens, and a token strays: into a mistyped address, or the query of a page that leads
# to the session. So an edge with such a route logs no query at all.
_NO_QUERIES = _LOG | {"path": "%PATH(NQ:ORIG_OR_PATH)%"}
_HTTP = "type.googleapis.com/envoy.extensions.filters.http"


def listener(table: Table, fleet: Fleet, *, address: str, directory: Path) -> dict[str, Any]:
    """The listener of one edge at `address` (host:port)."""
    host, _, port = address.rpartition(":")
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "main",
        "address": {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}},
        "per_connection_buffer_limit_bytes": 1 << 20,
        "filter_chains": [
            {
                "name": "http",
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _http(table, fleet, directory),
                    }
                ],
            }
        ],
    }


def _http(table: Table, fleet: Fleet, directory: Path) -> dict[str, Any]:
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "@type": manager,
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "server_header_transformation": "PASS_THROUGH",
        "always_set_request_id_in_response": True,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {"idle_timeout": "600s", "headers_with_underscores_action": "DROP_HEADER"},
        "http2_protocol_options": {"max_concurrent_streams": 100},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "rds": {"route_config_name": NAME, "config_source": source(directory, "rds")},
        "access_log": [
            {
                "name": "envoy.access_loggers.stdout",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                    "log_format": {"json_format": _log(table)},
                },
            }
        ],
        "local_reply_config": {"mappers": list(_replies(table, fleet))},
        "http_filters": [*_own_health(table, fleet), _ROUTER],
    }


def _log(table: Table) -> dict[str, str]:
    return _NO_QUERIES if any(row.route.keyed for row in table.rows) else _LOG


_ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{_HTTP}.router.v3.Router", "suppress_envoy_headers": True},
}


def _own_health(table: Table, fleet: Fleet) -> Iterable[dict[str, Any]]:
    """Other edges ask this one, under a service's public name, whether this site has the service."""
    if table.site == HERE:
        return
    for service, declared in fleet.services.items():
        if table.site in declared.on:
            yield {
                "name": f"envoy.filters.http.health_check.{service}",
                "typed_config": {
                    "@type": f"{_HTTP}.health_check.v3.HealthCheck",
                    "pass_through_mode": False,
                    "headers": [
                        {"name": ":path", "string_match": {"exact": READY}},
                        {
                            "name": ":authority",
                            "string_match": {"safe_regex": {"regex": authority(fleet.names.host(service))}},
                        },
                    ],
                    "cluster_min_healthy_percentages": {pinned(service, table.site): {"value": 1}},
                },
            }


def _replies(table: Table, fleet: Fleet) -> Iterable[dict[str, Any]]:
    """One reply for each host and prefix, the longest prefix first, as in the table."""
    seen = dict.fromkeys((row.host, row.prefix, row.route) for row in table.rows)
    for host, prefix, route in seen:
        yield {
            "filter": {
                "and_filter": {"filters": [{"response_flag_filter": {"flags": _NOBODY}}, *_asked(host, prefix)]}
            },
            **(_redirect(route) if route.fallback.redirect else _sorry(route, fleet)),
        }


def _asked(host: str, prefix: str) -> Iterable[dict[str, Any]]:
    below = "" if prefix == "/" else re.escape(prefix.rstrip("/"))
    for name, regex in ((":authority", authority(host)), (":path", f"{below}([/?].*)?")):
        yield {"header_filter": {"header": {"name": name, "string_match": {"safe_regex": {"regex": regex}}}}}


def _redirect(route: Route) -> dict[str, Any]:
    target = _literal(route.fallback.redirect)
    if route.fallback.keep_path:
        target = target.rstrip("/") + ("%PATH(NQ:PATH)%" if route.keyed else "%REQ(:PATH)%")
    return {
        "status_code": 307,
        "headers_to_add": [_set("location", target), _set("cache-control", "no-store")],
        "body_format_override": _body(
            f"{route.service} is not available here; see {target}\n", "text/plain; charset=utf-8"
        ),
    }


def _sorry(route: Route, fleet: Fleet) -> dict[str, Any]:
    status = fleet.names.url("status") if "status" in fleet.services and route.service != "status" else ""
    return {
        "status_code": 503,
        "headers_to_add": [_set("retry-after", "10"), _set("cache-control", "no-store")],
        "body_format_override": _body(_literal(unavailable(route.service, status)), "text/html; charset=utf-8"),
    }


def _body(text: str, content_type: str) -> dict[str, Any]:
    return {"text_format_source": {"inline_string": text}, "content_type": content_type}


def _literal(text: str) -> str:
    """Text in a format string: Envoy fills in what stands between percent signs."""
    return text.replace("%", "%%")


def _set(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
