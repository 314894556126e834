"""What the code has, the documentation names: addresses, keys, headers, exit codes, metrics, risks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from amalthea import catalogue
from amalthea.edge.listeners import listener
from amalthea.edge.table import table
from amalthea.fleet import risk
from amalthea.fleet.loading import loads
from amalthea.fleet.template import laptop
from amalthea.model.clock import system_clock
from amalthea.model.edge import HOP_HEADER, SITE_HEADER
from amalthea.model.errors import ExitCode
from amalthea.model.fleet import Fleet, Names, Site
from amalthea.model.service import Listen, Runtime
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.opening import opened
from amalthea.services.nbviewer.settings import Settings
from amalthea.store.debts import RECORDS
from amalthea.store.memory import MemoryStore
from amalthea.web.metrics import RequestMetrics
from docs._ext.errors import errors
from docs._ext.errors import markdown as errors_markdown
from docs._ext.metrics import metrics
from tests.docs.reading import page

GENERATED = {
    "fleet-file": "fleet file",
    "command-line": "command line",
    "exit-codes": "errors",
    "metrics": "metrics",
}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    services, kinds = catalogue.services(), catalogue.provider_kinds()
    return loads(laptop(services, kinds), "the laptop fleet", services=services, kinds=kinds)


@pytest.mark.parametrize(("name", "marker"), list(GENERATED.items()))
def test_a_generated_page_has_its_marker(name: str, marker: str) -> None:
    assert f"<!-- generated: {marker} -->" in page(f"reference/{name}.md")


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    assert f"| {code.value} | `{code.name}` |" in page("reference/exit-codes.md")


def test_every_error_says_what_it_is() -> None:
    text = errors_markdown()
    for error in errors():
        assert error.__doc__, error
        assert f"`{error.__name__}`" in text


def test_every_metric_of_a_running_service_is_found_in_the_source() -> None:
    registry = CollectorRegistry()
    Instruments(registry)
    RequestMetrics(Route("/", lambda request: None), registry)
    found = {metric.name.removesuffix("_total") for metric in metrics()}
    made = {family.name for family in registry.collect()}
    assert made <= found
    assert all(metric.text for metric in metrics())


def test_every_risk_of_a_plan_is_explained() -> None:
    names = {value for name, value in vars(risk).items() if name.isupper()}
    assert {"last-copy", "blast-radius"} <= names
    for name in names:
        assert f"\n{name}\n: " in page("howto/change-safely.md")


@pytest.mark.parametrize("header", [SITE_HEADER, HOP_HEADER])
def test_our_headers_are_explained(header: str) -> None:
    assert f"## {header}" in page("reference/headers.md")


def test_every_part_of_a_store_is_in_the_list_of_keys(fleet: Fleet) -> None:
    text = page("reference/store.md")
    assert f"| `{RECORDS}" in text
    for name, service in catalogue.services().items():
        for dataset in service.datasets(fleet.services[name].settings):
            assert f"| `{dataset.prefix}" in text, dataset.prefix


async def test_every_path_of_nbviewer_is_in_the_list_of_endpoints(tmp_path: Path) -> None:
    names = Names(domain="localhost", scheme="http", port=8000)
    site = Site(name="north", fleet="laptop", names=names)
    runtime = Runtime(listen=Listen(), store=MemoryStore(clock=system_clock), clock=system_clock)
    settings = Settings(local=str(tmp_path))
    text = page("reference/http.md")
    async with opened(settings, site, runtime=runtime, registry=CollectorRegistry()) as nbviewer:
        paths = [route.path for route in routes(nbviewer.application)]
    assert len(paths) > 10
    for path in paths:
        fixed = re.split(r"\{|\w+\.\w+\.?\w*/", path)[0]
        assert f"`{fixed}" in text, path


def routes(app: Any) -> list[Route]:
    """The routes inside what is wrapped around them."""
    while not hasattr(app, "routes"):
        app = app.app
    return [route for route in app.routes if isinstance(route, Route)]


def test_every_field_of_the_access_log_is_explained(fleet: Fleet) -> None:
    made = json.dumps(
        listener(table(fleet, "here", routes=[], endpoints=[]), fleet, address="127.0.0.1:1", directory=Path())
    )
    fields = json.loads(re.search(r'"json_format": (\{.*?\})', made)[1])  # type: ignore[index]
    text = page("howto/logs-and-metrics.md")
    for field in fields:
        assert f"`{field}`" in text, field
