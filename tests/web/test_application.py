"""The frame of every public application, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from amalthea.model.errors import PortInUse, UsageError
from amalthea.model.service import Listen
from amalthea.web.admin import admin_application
from amalthea.web.application import PageError, application
from amalthea.web.server import bind, serve
from amalthea.web.static_files import StaticFiles
from amalthea.web.templates import Pages
from tests.machine import free_ports


async def _page(request: Request) -> Response:
    return PlainTextResponse("hello")


async def _bug(request: Request) -> Response:
    raise RuntimeError("secret detail")


async def _wrong(request: Request) -> Response:
    raise PageError(422, "<b>not</b> a notebook", where="<script>", hint="Try another.")


def made(registry: CollectorRegistry) -> ASGIApp:
    static = StaticFiles("amalthea.web")
    routes = [Route("/", _page), Route("/bug", _bug), Route("/wrong/{name}", _wrong)]
    return application(routes, site="north", pages=Pages(static), static=static, registry=registry)


@asynccontextmanager
async def serving(*, problem: str = "") -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient]]:
    """Clients of the public and the admin application."""

    async def ready() -> str:
        return problem

    registry, (http, admin) = CollectorRegistry(), free_ports(2)
    task = asyncio.create_task(
        serve(made(registry), admin_application(ready, registry), Listen(http=http, admin=admin))
    )
    try:
        async with (
            httpx2.AsyncClient(verify=False, base_url=f"http://127.0.0.1:{http}", trust_env=False) as public,
            httpx2.AsyncClient(verify=False, base_url=f"http://127.0.0.1:{admin}", trust_env=False) as private,
        ):
            yield public, private
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_every_answer_names_its_site_and_carries_safe_headers() -> None:
    async with serving() as (public, _):
        for path in ("/", "/nowhere", "/bug", "/wrong/x"):
            headers = (await public.get(path)).headers
            assert headers["x-amalthea-site"] == "north"
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "server" not in headers


async def test_an_error_is_a_page_and_what_strangers_wrote_is_text_in_it() -> None:
    async with serving() as (public, _):
        answer = await public.get("/wrong/x")
    assert answer.status_code == 422
    assert "&lt;b&gt;not&lt;/b&gt; a notebook" in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_bug_is_a_page_without_its_details() -> None:
    async with serving() as (public, _):
        answer = await public.get("/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_static_files_are_kept_for_ever_and_other_names_do_not_exist() -> None:
    async with serving() as (public, _):
        sheet = await public.get(StaticFiles("amalthea.web").url("amalthea.css"))
        assert "immutable" in sheet.headers["cache-control"]
        assert sheet.headers["content-encoding"] == "gzip"
        for name in ("amalthea.css", "../application.py", "%2e%2e%2fapplication.py"):
            assert (await public.get(f"/static/{name}")).status_code == 404


async def test_health_readiness_and_metrics_are_not_public() -> None:
    async with serving(problem="no store") as (public, private):
        assert (await private.get("/-/healthz")).status_code == 200
        ready = await private.get("/-/readyz")
        assert (ready.status_code, ready.text) == (503, "no store\n")
        await public.get("/wrong/anything")
        metrics = (await private.get("/-/metrics")).text
        assert 'amalthea_http_requests_total{route="/wrong/{name}",status="422"} 1.0' in metrics
        assert (await public.get("/-/metrics")).status_code == 404


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: the port is in use"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="cannot listen here"):
        bind("192.0.2.1", 0)
