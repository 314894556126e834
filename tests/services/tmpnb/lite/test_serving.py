"""A built site over a real socket, below a path."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import brotli
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets import InvalidStatus, connect

from amalthea.services.tmpnb.lite import lite_app
from amalthea.services.tmpnb.lite.held import Held
from tests.services.tmpnb.lite.making import PAGE, site
from tests.serving import serving

LONG = "let goat = 'Amalthea';\n" * 20_000
FILES: Mapping[str, bytes | str] = {
    "lab/index.html": PAGE,
    "build/lab/bundle.js": LONG,
    "build/1031.b91a70b.js": LONG,
    "build/fa-solid.woff2": b"\x00\xff" * 40,
    "static/pyodide-0123456789ab/pyodide.asm.wasm": b"\0asm" * 5000,
    "static/pyodide-0123456789ab/pyodide.mjs": "export {}",
    "files/welcome.ipynb": "{}",
    "jupyter-lite.json": "{}",
    "service-worker.js": "self",
    "odd": "",
}


@asynccontextmanager
async def visiting(directory: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the site, which is mounted at `/lite`."""
    app = Starlette(routes=[Mount("/lite", lite_app(site(directory, FILES)))])
    async with (
        serving(app) as port,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/lite", trust_env=False, headers={"accept-encoding": "identity"}
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("lab/index.html", "text/html; charset=utf-8"),
        ("build/lab/bundle.js", "text/javascript; charset=utf-8"),
        ("static/pyodide-0123456789ab/pyodide.asm.wasm", "application/wasm"),
        ("static/pyodide-0123456789ab/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("files/welcome.ipynb", "application/json"),
        ("jupyter-lite.json", "application/json"),
        ("build/fa-solid.woff2", "font/woff2"),
        ("odd", "application/octet-stream"),
    ],
)
async def test_a_file_comes_as_it_is_with_its_type(name: str, media_type: str, tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get(f"/{name}")
    body = FILES[name]
    assert answer.content == (body.encode() if isinstance(body, str) else body)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_smallest_form_that_the_browser_takes_is_sent(tmp_path: Path) -> None:
    packed = {"br": brotli.decompress, "gzip": gzip.decompress}
    async with visiting(tmp_path) as client:
        for accepted, encoding in [("gzip, deflate, br", "br"), ("gzip", "gzip")]:
            request = client.build_request("GET", "/build/lab/bundle.js", headers={"accept-encoding": accepted})
            answer = await client.send(request, stream=True)
            raw = b"".join([piece async for piece in answer.aiter_raw()])
            assert answer.headers["content-encoding"] == encoding
            assert answer.headers["vary"] == "accept-encoding"
            assert int(answer.headers["content-length"]) == len(raw) < len(LONG) / 10
            assert packed[encoding](raw).decode() == LONG


async def test_what_cannot_be_made_smaller_is_sent_as_it_is(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get("/build/fa-solid.woff2", headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == FILES["build/fa-solid.woff2"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("build/1031.b91a70b.js", "public, max-age=31536000, immutable"),
        ("static/pyodide-0123456789ab/pyodide.asm.wasm", "public, max-age=31536000, immutable"),
        ("build/lab/bundle.js", "no-cache"),
        ("lab/index.html", "no-cache"),
        ("jupyter-lite.json", "no-cache"),
        ("service-worker.js", "no-cache"),
    ],
)
async def test_a_name_with_a_hash_may_be_kept_for_ever_and_no_other(name: str, kept: str, tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get(f"/{name}")
    assert answer.headers["cache-control"] == kept


async def test_who_has_a_file_already_is_told_so(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        first = await client.get("/lab/index.html")
        again = await client.get("/lab/index.html", headers={"if-none-match": first.headers["etag"]})
        other = await client.get("/lab/index.html", headers={"if-none-match": '"another"'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../site.json",
        "/%2e%2e/site.json",
        "/lab/../../site.json",
        "/lab/%2e%2e%2f%2e%2e%2fsite.json",
        "/plain/lab/index.html",
        "//etc/passwd",
        "/lab/index.html%00",
        "/nowhere/",
    ],
)
async def test_no_path_leads_out_of_the_site(path: str, tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get(path)
    assert answer.status_code == 404


async def test_the_door_leads_to_the_welcome_notebook_below_whatever_path_it_is(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get("/")
        assert answer.status_code == 307
        assert (await client.get(answer.next_request.url if answer.next_request else "")).text == PAGE
    assert answer.headers["location"] == "lab/index.html?path=welcome.ipynb"


async def test_an_application_without_its_slash_is_found(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        answer = await client.get("/lab?path=a.ipynb", follow_redirects=True)
        assert (answer.text, answer.url.path, answer.url.query) == (PAGE, "/lite/lab/", b"path=a.ipynb")


async def test_files_can_be_read_and_nothing_else(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        head = await client.head("/build/lab/bundle.js")
        put = await client.put("/build/lab/bundle.js", content=b"x")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(LONG)))
    assert (put.status_code, put.headers["allow"]) == (405, "GET, HEAD")


async def test_a_socket_is_refused(tmp_path: Path) -> None:
    async with serving(Starlette(routes=[Mount("/lite", lite_app(site(tmp_path, FILES)))])) as port:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"ws://127.0.0.1:{port}/lite/lab/", proxy=None)


async def test_the_policy_names_the_scripts_of_the_pages_and_no_host(tmp_path: Path) -> None:
    async with visiting(tmp_path) as client:
        policy = (await client.get("/service-worker.js")).headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert policy.count("'sha256-") == 1
    assert "'wasm-unsafe-eval'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "//" not in policy
    assert "*" not in policy


def test_what_was_read_last_is_held_up_to_the_limit(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(path.name.encode() * 40)
    held = Held(100)
    for path in (paths[0], paths[1]):
        assert held.read(path) == path.read_bytes()
    assert held.get(paths[0]) == b"a" * 40
    held.read(paths[2])
    assert (held.used, held.get(paths[1]), held.get(paths[0])) == (80, None, b"a" * 40)


def test_a_file_larger_than_the_limit_is_read_and_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * 200)
    held = Held(100)
    assert held.read(path) == b"a" * 200
    assert (held.used, held.get(path)) == (0, None)
