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
from amalthea.services import nbviewer as nbviewer_package
from amalthea.services.nbviewer import errors as nbviewer_errors
from amalthea.services.nbviewer.hub.gate import HubPlace
from amalthea.services.nbviewer.instruments import Instruments
from amalthea.services.nbviewer.opening import opened
from amalthea.services.nbviewer.paste.rewriting import rewrite, rules
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
PACKAGE = Path(nbviewer_package.__path__[0])
HUB = HubPlace(
    token="t",
    api_url="http://127.0.0.1:1/hub/api",
    prefix="/services/nbviewer/",
    home="/hub/",
    client_id="service-nbviewer",
    callback="/services/nbviewer/oauth_callback",
    scopes=(),
)


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
    settings = Settings(local=str(tmp_path), content_url="http://content.localhost:8000")
    text = page("reference/http.md")
    async with opened(settings, site, runtime=runtime, registry=CollectorRegistry(), hub=HUB) as nbviewer:
        paths = [route.path for route in routes(nbviewer.application)]
    assert len(paths) > 25
    assert {"/frame/{digest}", "/upload", "/logout"} <= set(paths)
    for path in paths:
        fixed = re.split(r"\{|\w+\.\w+\.?\w*/", path)[0]
        assert re.search(rf"`{re.escape(fixed)}[`{{?/\w…]", text), path


def routes(app: Any) -> list[Route]:
    """The routes inside what is wrapped around them, under every name."""
    found: list[Route] = []
    while not hasattr(app, "routes"):
        for other in getattr(app, "others", {}).values():
            found += routes(other)
        app = app.app
    return found + [route for route in app.routes if isinstance(route, Route)]


def test_every_query_of_nbviewer_is_in_the_list_of_endpoints() -> None:
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    forms = (r'query_params\.get\("(\w+)"', r'"(\w+)" in request\.query_params', r'_is_on\(request, "(\w+)"\)')
    names = {"a", "b"} | {name for form in forms for name in re.findall(form, source)}
    assert {"download", "flush_cache", "line_numbers", "page", "key"} <= names
    text = page("reference/http.md")
    for name in names:
        assert f"`?{name}" in text, name


def test_what_the_box_is_said_to_take_leads_where_it_is_said_to() -> None:
    text = page("reference/http.md").partition("### What the box takes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", text, re.MULTILINE)
    table = rules(Settings(), own_url="https://nbviewer.example.org")
    assert len(rows) > 20
    assert [(pasted, rewrite(pasted, table)) for pasted, _ in rows] == rows


def test_every_status_of_an_error_is_in_the_list_of_endpoints() -> None:
    listed = set(re.findall(r"\b[45][0-9]{2}\b", page("reference/http.md").partition("### Statuses")[2]))
    kinds = [value for value in vars(nbviewer_errors).values() if isinstance(value, type)]
    statuses = {str(kind.status) for kind in kinds if issubclass(kind, nbviewer_errors.SourceError)}
    literal = re.compile(r"(?:PageError|HTTPException)\(\s*([45][0-9]{2})\b")
    statuses |= {status for path in PACKAGE.rglob("*.py") for status in literal.findall(path.read_text())}
    assert "413" in statuses
    assert statuses <= listed


def test_every_field_of_the_access_log_is_explained(fleet: Fleet) -> None:
    made = json.dumps(
        listener(table(fleet, "here", routes=[], endpoints=[]), fleet, address="127.0.0.1:1", directory=Path())
    )
    fields = json.loads(re.search(r'"json_format": (\{.*?\})', made)[1])  # type: ignore[index]
    text = page("howto/logs-and-metrics.md")
    for field in fields:
        assert f"`{field}`" in text, field
