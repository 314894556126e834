"""Notebooks by URL: what is fetched, and above all what is not."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from amalthea.store.memory import MemoryStore
from amalthea.web.server import bind
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook, resolver
from tests.serving import serving

REFUSAL = "This address is not fetched"


class Web:
    """Some web server: notebooks, redirects and bombs."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def answer(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        match request.path_params["name"]:
            case "a.ipynb":
                return Response(notebook("# From the web", request.url.query), headers={"etag": '"1"'})
            case "latin.ipynb":
                return Response(notebook("# Größe"), media_type="application/octet-stream")
            case "bomb.ipynb":
                body = gzip.compress(b"[" + b" " * 30_000_000)
                return Response(body, headers={"content-encoding": "gzip"})
            case "long.ipynb":
                return Response(b" " * 2_000_000)
            case "odd.ipynb":
                return Response(b"x", headers={"content-encoding": "br"})
            case "loop":
                return RedirectResponse("/loop")
            case "away.ipynb":
                return RedirectResponse("/a.ipynb")
            case "inside.ipynb":
                return RedirectResponse(request.query_params["to"])
            case "page":
                return Response("<html>hello</html>", media_type="text/html")
        return Response("no", status_code=int(request.path_params["name"]))


@asynccontextmanager
async def web() -> AsyncIterator[Web]:
    made = Web()
    async with serving(Starlette(routes=[Route("/{name:path}", made.answer)])) as made.port:
        yield made


@pytest.fixture
async def origin() -> AsyncIterator[Web]:
    async with web() as made:
        yield made


@pytest.fixture
async def viewer(origin: Web, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    """An nbviewer that may fetch from one port of `friend.example`, which is this machine."""
    resolve = resolver(
        friend_example=["127.0.0.1"],
        private_example=["10.0.0.1"],
        mixed_example=["140.82.121.4", "127.0.0.1"],
        mapped_example=["::ffff:127.0.0.1"],
        localhost=["127.0.0.1"],
        **{"0x7f_1": ["127.0.0.1"], "127_0_0_1": ["127.0.0.1"], "169_254_169_254": ["169.254.169.254"]},
    )
    settings = {
        "private_hosts": [f"friend.example:{origin.port}"],
        "notebook_limit": "1 MB",
        "ports": [80, 443, origin.port],
    }
    async with nbviewer(settings, store=store, clock=clock, resolve=resolve) as made:
        yield made


async def test_a_notebook_anywhere_becomes_a_page(viewer: Nbviewer, origin: Web) -> None:
    answer = await viewer.get(f"/url/friend.example:{origin.port}/a.ipynb")
    assert answer.status_code == 200
    assert "From the web" in answer.text
    assert origin.asked == [f"http://friend.example:{origin.port}/a.ipynb"]


async def test_the_query_travels_as_the_last_part_of_the_path(viewer: Nbviewer, origin: Web) -> None:
    answer = await viewer.get(f"/url/friend.example:{origin.port}/a.ipynb/%3Fquery%3Dstring%26is%3D1")
    assert "query=string" in answer.text
    assert origin.asked == [f"http://friend.example:{origin.port}/a.ipynb?query=string&is=1"]


async def test_text_without_a_declared_encoding_arrives_intact(viewer: Nbviewer, origin: Web) -> None:
    assert "Größe" in (await viewer.get(f"/url/friend.example:{origin.port}/latin.ipynb")).text


async def test_a_redirect_is_followed_and_a_circle_is_not(viewer: Nbviewer, origin: Web) -> None:
    assert (await viewer.get(f"/url/friend.example:{origin.port}/away.ipynb")).status_code == 200
    origin.asked.clear()
    answer = await viewer.get(f"/url/friend.example:{origin.port}/loop")
    assert answer.status_code == 502
    assert "redirects too often" in answer.text
    assert len(origin.asked) == 4


INSIDE = [
        "127.0.0.1", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::]",
        "169.254.169.254", "localhost", "private.example", "mixed.example", "mapped.example", "nowhere.example",
        "nbviewer.example.org", "[64:ff9b::7f00:1]",
    ]  # fmt: skip


async def test_an_address_inside_is_refused_with_one_text_for_all(viewer: Nbviewer, origin: Web) -> None:
    for host in INSIDE:
        for address in (host, f"{host}:{origin.port}"):
            answer = await viewer.get(f"/url/{address}/a.ipynb")
            assert answer.status_code == 400, address
            assert REFUSAL in answer.text
    assert (await viewer.get("/url/user:pass@friend.example/a.ipynb")).status_code == 404
    assert origin.asked == []


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/a.ipynb", "http://localhost:{port}/a.ipynb", "http://[::1]/", "file:///etc/passwd",
     "gopher://friend.example/", "http://friend.example:22/", "http://169.254.169.254/latest/meta-data"],
)  # fmt: skip
async def test_a_redirect_into_a_network_is_refused_like_the_address_itself(
    viewer: Nbviewer, origin: Web, target: str
) -> None:
    to = target.format(port=origin.port)
    quoted = to.replace("/", "%252F").replace(":", "%253A").replace("[", "%255B").replace("]", "%255D")
    answer = await viewer.get(f"/url/friend.example:{origin.port}/inside.ipynb/%3Fto%3D{quoted}")
    assert answer.status_code == 400
    assert REFUSAL in answer.text
    assert len(origin.asked) == 1


async def test_a_name_whose_address_changes_is_judged_at_each_connection(
    origin: Web, store: MemoryStore, clock: Hand
) -> None:
    answers = iter([["10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"]])

    async def resolve(host: str, port: int) -> list[str]:
        return next(answers)

    async with nbviewer({"ports": [origin.port]}, store=store, clock=clock, resolve=resolve) as viewer:
        for _ in range(3):
            assert (await viewer.get(f"/url/rebind.example:{origin.port}/a.ipynb")).status_code == 400
    assert origin.asked == []


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(viewer: Nbviewer, origin: Web) -> None:
    answer = await viewer.get(f"/url/friend.example:{origin.port}/bomb.ipynb")
    assert answer.status_code == 413


ANSWERS = [
    ("long.ipynb", 413),
    ("odd.ipynb", 502),
    ("page", 422),
    ("404", 404),
    ("410", 404),
    ("403", 403),
    ("418", 502),
    ("500", 502),
    ("429", 503),
]


async def test_what_the_source_answers_decides_the_page(viewer: Nbviewer, origin: Web) -> None:
    for name, status in ANSWERS:
        answer = await viewer.get(f"/url/friend.example:{origin.port}/{name}")
        assert answer.status_code == status, name
        assert "Enter another address" in answer.text


async def test_a_server_that_is_not_there_is_a_502_page(viewer: Nbviewer, store: MemoryStore, clock: Hand) -> None:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    resolve = resolver(friend_example=["127.0.0.1"])
    settings = {"private_hosts": [f"friend.example:{port}"]}
    async with nbviewer(settings, store=store, clock=clock, resolve=resolve) as closed:
        assert (await closed.get(f"/url/friend.example:{port}/a.ipynb")).status_code == 502


async def test_a_relative_link_of_a_notebook_leads_to_the_original_file(viewer: Nbviewer, origin: Web) -> None:
    host = f"friend.example:{origin.port}"
    referer = str(viewer.client.base_url.join(f"/url/{host}/dir/a.ipynb"))
    answer = await viewer.get(f"/url/{host}/dir/data.csv", headers={"referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (302, f"http://{host}/dir/data.csv")


@pytest.mark.parametrize(
    "referer", ["https://elsewhere.example/url/friend.example:{port}/a.ipynb", "{base}url/other.example/a.ipynb", ""]
)
async def test_nobody_else_can_make_this_server_redirect(viewer: Nbviewer, origin: Web, referer: str) -> None:
    headers = {"referer": referer.format(port=origin.port, base=viewer.client.base_url)}
    answer = await viewer.get(f"/url/friend.example:{origin.port}/404", headers=headers)
    assert answer.status_code == 404
