"""Links that open something in a server of the visitor's own, and what they cannot do."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.pages.wishes import Wishes, opened
from amalthea.services.tmpnb.settings import Settings
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.site import HTML, Found, Site, tmpnb
from tests.services.tmpnb.work.scenes import HeldClock

WISHES = Wishes(Settings())
BASE = "/user/abcdefgh-north/"


async def followed(site: Site, link: str) -> Found:
    """The session that a link leads to: its page is read, and what its form says is sent."""
    page = await site.get(link)
    assert page.status_code == 200, page.text
    found = re.search(
        r'<form method="post" action="/spawn" data-send>\s*<input type="hidden" name="path" value="([^"]*)"', page.text
    )
    assert found is not None
    path = found[1].replace("&amp;", "&").replace("&#39;", "'").replace("&#34;", '"')
    return await site.start(data={"path": path})


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("/lab", "lab"),
        ("/spawn", "lab"),
        ("/spawn/lab/tree/a.ipynb", "lab/tree/a.ipynb"),
        ("/spawn/notebooks/a.ipynb?kernel_name=python3", "notebooks/a.ipynb?kernel_name=python3"),
        ("/notebooks/a.ipynb", "notebooks/a.ipynb"),
        ("/notebooks/deep/My%20Notebook.ipynb", "notebooks/deep/My%20Notebook.ipynb"),
        ("/notebooks/100%25.ipynb", "notebooks/100%25.ipynb"),
        ("/notebooks/what%3F.ipynb", "notebooks/what%3F.ipynb"),
        ("/notebooks/C%23.ipynb", "notebooks/C%23.ipynb"),
        ("/notebooks/m%C5%99%C3%AD%C5%BEka.ipynb", "notebooks/m%C5%99%C3%AD%C5%BEka.ipynb"),
        ("/tree/data", "tree/data"),
        ("/lab/tree/a.ipynb?reset=&x=1%262", "lab/tree/a.ipynb?reset=&x=1%262"),
        ("/files/a.csv", "files/a.csv"),
    ],
)
async def test_a_link_opens_that_page_in_a_server_of_ones_own(site: Site, link: str, page: str) -> None:
    session = await followed(site, link)
    assert session.url == f"{session.base}{page}{'&' if '?' in page else '?'}token={session.token}"


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", "lab"),
        ("?urlpath=lab/tree/index.ipynb", "lab/tree/index.ipynb"),
        ("?urlpath=%2Ftree%2Fa%20b", "tree/a%20b"),
        ("?urlpath=lab%2Ftree%2Fa.ipynb%3Freset", "lab/tree/a.ipynb?reset="),
        ("?labpath=index.ipynb", "lab/tree/index.ipynb"),
        ("?labpath=/deep/My%20Notebook.ipynb", "lab/tree/deep/My%20Notebook.ipynb"),
        ("?labpath=100%25.ipynb", "lab/tree/100%25.ipynb"),
        ("?labpath=C%23.ipynb", "lab/tree/C%23.ipynb"),
        ("?filepath=index.ipynb", "tree/index.ipynb"),
        ("?urlpath=retro/tree/a.ipynb", "retro/tree/a.ipynb"),
        ("?urlpath=voila/render/a.ipynb", "voila/render/a.ipynb"),
    ],
)
def test_the_link_of_a_repository_opens_what_binder_would(query: str, page: str) -> None:
    wish = WISHES.of_link(f"/v2/gh/ada/notes/HEAD{query}", network="")
    assert (wish.repository, wish.open) == ("gh/ada/notes/HEAD", page)


@pytest.mark.parametrize(
    ("link", "repository"),
    [
        ("/v2/gh/ada/notes", "gh/ada/notes/HEAD"),
        ("/v2/gh/ada/notes/feature/a", "gh/ada/notes/feature/a"),
        ("/v2/gh/ada/notes/feature%2Fa", "gh/ada/notes/feature/a"),
        ("/v2/gist/ada/0123abc/HEAD", "gist/ada/0123abc/HEAD"),
        ("/v2/gl/group%2Fsub%2Fproject/main", "gl/group%2Fsub%2Fproject/main"),
        ("/v2/gl/group%2fproject/feature/a", "gl/group%2Fproject/feature/a"),
        ("/v2/gl/group/project/main", "gl/group/project/main"),
    ],
)
def test_the_link_of_a_repository_names_it_as_binder_does(link: str, repository: str) -> None:
    assert WISHES.of_link(link, network="").repository == repository


@pytest.mark.parametrize(
    "link",
    [
        "/notebooks/../../api",
        "/notebooks/%2e%2e/%2e%2e/x",
        "/notebooks/.%2e/x",
        "/notebooks//evil.example/x",
        "/notebooks/a%00b",
        "/notebooks/a%0d%0ax",
        "/notebooks/a%5cb",
        "/api/contents",
        "/user/other-north/lab",
        "/v2/gh/ada/notes/HEAD?urlpath=https://evil.example/",
        "/v2/gh/ada/notes/HEAD?urlpath=//evil.example/",
        "/v2/gh/ada/notes/HEAD?urlpath=../x",
        "/v2/gh/ada/notes/HEAD?urlpath=lab/%2e%2e/%2e%2e/x",
        "/v2/gh/ada/notes/HEAD?urlpath=lab/%252e%252e/%252e%252e/x",
        "/v2/gh/ada/notes/HEAD?labpath=../../../x",
        "/v2/gh/ada/notes/HEAD?urlpath=javascript:alert(1)",
        "/notebooks/" + "x" * 3000,
    ],
)
async def test_a_hostile_link_starts_nothing(site: Site, link: str) -> None:
    answer = await site.click(data={"path": link})
    assert answer.status_code in (400, 404)
    got = await site.get(link, headers=HTML)
    assert got.status_code in (307, 400, 404, 405)
    assert site.spawner.started == 0


def as_browsers_do(location: str) -> str:
    """Where a browser goes that is sent to a path: dots may be escaped, and a backslash is a slash."""
    cleaned = re.sub(r"[\t\r\n]", "", location).replace("\\", "/")
    path, mark, query = cleaned.partition("?")
    path = "/".join(
        re.sub("(?i)%2e", ".", part) if re.sub("(?i)%2e", ".", part) in (".", "..") else part
        for part in path.split("/")
    )
    return urljoin(f"https://try.example.org{BASE}lab", path + mark + query)


PIECES = st.sampled_from(
    ["lab", "tree", "notebooks", "files", "..", ".", "/", "//", "%2e", "%2E", "%252e", "%2f", "%5c", "\\", "?", "#",
     "%3f", "%23", "&", "=", "token=", "a.ipynb", "http:", "https://evil.example", "@", ":", "\t", "\n", "\r", "\0",
     " ", "ü", "\u2025", "\uff0e", ";", "%", "%zz", "..;", "\ud800"]
)  # fmt: skip
PATHS = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=8).map("/".join)
)


def check(page: str) -> None:
    """A page that is opened is a page of that session's server, and nothing else has a say in its token."""
    reached = urlsplit(as_browsers_do(f"{BASE}{page}{'&' if '?' in page else '?'}token=secret"))
    assert (reached.scheme, reached.netloc) == ("https", "try.example.org")
    assert reached.path.startswith(BASE)
    assert not reached.fragment
    tokens = [value for name, value in parse_qsl(reached.query, keep_blank_values=True) if name == "token"]
    assert tokens == ["secret"]
    assert all(" " < character < "\x7f" for character in page)
    assert len(page) < 5000


@given(PATHS.map(lambda path: f"lab/{path}") | PATHS, PATHS)
@example("lab/%2e%2e/%2e%2e/%2e%2e/user/other-north/lab", "")
@example("lab/.%2E/..%2f/%252e%252e/x", "token=other&%74oken=another")
def test_what_is_opened_is_always_a_page_of_the_session_itself(path: str, query: str) -> None:
    try:
        page = opened(path, query)
    except BadRepository:
        return
    check(page)


@given(
    PATHS,
    st.sampled_from(
        [
            "/lab/{}",
            "/{}",
            "/v2/gh/a/b/HEAD?urlpath={}",
            "/v2/gh/a/b/HEAD?urlpath=lab/{}",
            "/v2/gh/a/b/HEAD?labpath={}",
            "/v2/{}",
            "/lab?{}",
        ]
    ),
)
@example("%2e%2e/%2e%2e/%2e%2e/%2e%2e/user/other-north/lab", "/v2/gh/a/b/HEAD?labpath={}")
def test_whatever_a_link_says_what_it_opens_is_a_page_of_the_session_itself(text: str, link: str) -> None:
    for said in (text, quote(text, errors="replace")):
        try:
            wish = WISHES.of_link(link.format(said), network="")
        except BadRepository:
            continue
        check(wish.open)


async def test_a_link_leads_back_to_the_session_that_one_has(place: Path, store: MemoryStore, clock: HeldClock) -> None:
    async with tmpnb(place, store=store, clock=clock, pool=0) as site:
        session = await followed(site, "/notebooks/a.ipynb")
        for link in ("/notebooks/a.ipynb", "/lab/tree/b%20c.ipynb", "/spawn/lab"):
            answer = await site.get(link)
            assert answer.status_code == 302
            assert Found(answer.headers["location"]).name == session.name
        assert "lab/tree/b%20c.ipynb?token=" in (await site.get("/lab/tree/b%20c.ipynb")).headers["location"]
        assert (await site.get("/v2/gh/ada/other/HEAD")).status_code == 200  # that is something else
        assert (await site.browser().get("/notebooks/a.ipynb")).status_code == 200
        assert site.spawner.started == 1


async def test_the_page_of_a_link_does_nothing_by_itself_but_send_one_form(site: Site) -> None:
    page = await site.get("/v2/gh/ada/notes/main?labpath=%3Cscript%3E.ipynb")
    assert "gh/ada/notes/main" in page.text
    assert "<script>.ipynb" not in page.text
    assert page.text.count("<form") == 1
    assert '<meta name="robots" content="noindex">' in page.text
    assert page.headers["cache-control"] == "no-store"
