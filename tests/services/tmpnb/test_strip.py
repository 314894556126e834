"""The strip in a session's pages: it is put in once, into pages, and nowhere else."""

from __future__ import annotations

import gzip

import pytest

from tests.services.tmpnb.plain_server import Headers, Line, PlainServer
from tests.services.tmpnb.site import Found, Site

HTML: Headers = (("Content-Type", "text/html"),)
PAGE = b"<html><head><title>x</title></head><body></head></body></html>"


@pytest.fixture
async def session(site: Site) -> Found:
    return await site.start()


@pytest.fixture
def server(site: Site, session: Found) -> PlainServer:
    return site.server(session)


async def test_a_page_shows_the_strip_which_knows_its_session(site: Site, session: Found) -> None:
    page = await site.get(session.url)
    assert page.text.count("<script") == 1
    start = page.text.index("<script")
    script = page.text[start : page.text.index("</script>", start)]
    assert f'data-session="{session.base}"' in script
    assert page.text[page.text.index("</script>") :].startswith("</script></head>")
    assert int(page.headers["content-length"]) == len(page.content)
    assert session.token not in script
    path = script.split('src="')[1].partition('"')[0]
    assert path.startswith(f"{session.base}-/static/strip.")
    loaded = await site.browser().get(path)
    assert (loaded.status_code, loaded.headers["content-type"].partition(";")[0]) == (200, "text/javascript")
    assert "immutable" in loaded.headers["cache-control"]


@pytest.mark.parametrize("path", ["lab", "lab/tree/a.ipynb", "tree", "notebooks/a.ipynb", "doc/tree/x", "edit/a"])
async def test_it_is_in_each_of_the_interfaces_pages_once(
    site: Site, session: Found, server: PlainServer, path: str
) -> None:
    server.answers[path] = lambda line: line.answer(200, PAGE, HTML)
    page = await site.get(session.base + path)
    assert page.content == PAGE.replace(
        b"</head>", page.content[page.content.index(b"<script") : page.content.index(b"</script>") + 9] + b"</head>", 1
    )
    assert page.text.count("data-session") == 1


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        ("files/a.html", 200, "text/html", PAGE),
        ("api/x", 200, "text/html", PAGE),
        ("static/lab/x.html", 200, "text/html", PAGE),
        ("lab/api/settings", 200, "application/json", b'{"x": "</head>"}'),
        ("lab/x.js", 200, "text/javascript", b"x = '</head>'"),
        ("lab", 404, "text/html", PAGE),
        ("lab", 200, "text/html", b"no head"),
        ("labs", 200, "text/html", PAGE),
        ("-/x", 200, "text/html", PAGE),
    ],
)
async def test_it_is_nowhere_else(
    site: Site, session: Found, server: PlainServer, path: str, status: int, kind: str, body: bytes
) -> None:
    server.answers[path] = lambda line: line.answer(status, body, (("Content-Type", kind), ("ETag", '"1"')))
    answer = await site.get(session.base + path)
    assert (answer.status_code, answer.content) == (status, body)
    posted = await site.client.post(session.base + path, content=b"x")
    assert posted.content == body


async def test_a_page_comes_plain_so_that_it_can_be_put_in_and_all_else_may_be_compressed(
    site: Site, session: Found, server: PlainServer
) -> None:
    packed = gzip.compress(PAGE)
    headers: Headers = (*HTML, ("Content-Encoding", "gzip"))
    server.answers |= {
        "lab": lambda line: line.answer(200, PAGE, HTML),
        "tree": lambda line: line.answer(200, packed, headers),
    }
    assert "data-session" in (await site.get(f"{session.base}lab")).text
    assert server.last("lab").header("accept-encoding") == ""
    assert (await site.get(f"{session.base}tree")).content == PAGE
    await site.get(f"{session.base}api")
    assert "gzip" in server.last("api").header("accept-encoding")


async def test_what_says_that_a_page_is_unchanged_is_left_out_since_it_was_changed(
    site: Site, session: Found, server: PlainServer
) -> None:
    server.answers["lab"] = lambda line: line.answer(200, PAGE, (*HTML, ("ETag", '"1"')))
    assert "etag" not in (await site.get(f"{session.base}lab")).headers


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_page_of_any_length_is_passed_on_whole(
    site: Site, session: Found, server: PlainServer, chunked: bool
) -> None:
    body = PAGE + b"x" * (3 << 20)

    async def answer(line: Line) -> None:
        if not chunked:
            await line.answer(200, body, HTML)
            return
        line.begin(200, (*HTML, ("Transfer-Encoding", "chunked")))
        for start in range(0, len(body), 7 if len(body) < 1000 else 50_000):
            await line.chunk(body[start : start + 50_000])
        await line.chunk(b"")

    server.answers |= {"lab": answer, "tree": lambda line: line.answer(200, b"y" * (3 << 20), HTML)}
    page = await site.get(f"{session.base}lab")
    assert page.text.count("data-session") == 1
    assert len(page.content) > len(body)
    assert page.content.endswith(b"x" * 100)
    assert (await site.get(f"{session.base}tree")).content == b"y" * (3 << 20)


async def test_the_end_of_a_head_that_comes_in_two_pieces_is_found(
    site: Site, session: Found, server: PlainServer
) -> None:
    async def answer(line: Line) -> None:
        line.begin(200, (*HTML, ("Transfer-Encoding", "chunked")))
        for piece in (b"<html><head></he", b"ad><body>", b"the rest", b""):
            await line.chunk(piece)

    server.answers["lab"] = answer
    page = await site.get(f"{session.base}lab")
    assert page.text.count("data-session") == 1
    assert page.text.endswith("</head><body>the rest")


async def test_a_page_that_breaks_off_breaks_off(site: Site, session: Found, server: PlainServer) -> None:
    async def early(line: Line) -> None:
        line.begin(200, (*HTML, ("Content-Length", 1000)))
        await line.write(b"<html><head>")
        line.break_off()

    server.answers["lab"] = early
    assert (await site.get(f"{session.base}lab")).status_code == 502
