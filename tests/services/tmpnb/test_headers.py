"""Which headers go through: none of ours gets in, and none of a session's gets beyond its own path."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amalthea.services.tmpnb.forwarding.headers import inwards, outwards
from tests.services.tmpnb.plain_server import Headers, Line
from tests.services.tmpnb.site import Found, Site

BASE = b"/user/abcdefgh-north/"
BEYOND = [
    ("Service-Worker-Allowed", "/"),
    ("Clear-Site-Data", '"*"'),
    ("Strict-Transport-Security", "max-age=1"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Origin-Agent-Cluster", "?0"),
    ("NEL", "{}"),
    ("Report-To", "{}"),
    ("Alt-Svc", 'h2="evil.example:443"'),
    ("X-Amalthea-Site", "south"),
    ("X-Amalthea-Hop", "south"),
]


async def said(line: Line) -> None:
    await line.json([[name.lower(), value] for name, value in line.asked.headers])


def saying(*headers: tuple[str, str]) -> Headers:
    return headers


async def test_cookies_of_ours_never_reach_a_session_and_others_do(site: Site) -> None:
    session = await site.start()
    server = site.server(session)
    server.answers["x"] = said
    await site.get(session.url)
    assert set(site.client.cookies) == {"tmpnb-sessions", "tmpnb-session"}
    site.client.cookies.set("theirs", "1")
    headers = dict((await site.get(f"{session.base}x")).json())
    assert headers["cookie"] == "theirs=1"
    plain = await site.browser().get(f"{session.base}x", headers={"cookie": "tmpnb-session=a; tmpnb-sessions=b"})
    assert "cookie" not in dict(plain.json())
    for asked in server.asked:
        assert session.token not in asked.header("cookie")


async def test_what_is_between_two_ends_of_one_connection_is_not_passed_on(site: Site) -> None:
    session = await site.start()
    site.server(session).answers["x"] = said
    sent = {
        "connection": "keep-alive, x-mine",
        "x-mine": "1",
        "te": "trailers",
        "proxy-authorization": "secret",
        "x-amalthea-site": "south",
        "x-amalthea-hop": "south",
        "x-other": "2",
        "upgrade": "h2c",
    }
    headers = dict((await site.get(f"{session.base}x", headers=sent)).json())
    assert not headers.keys() & (sent.keys() - {"x-other"})
    assert headers["x-other"] == "2"
    assert headers["host"] == site.url.removeprefix("http://")


async def test_what_names_the_host_or_the_length_is_passed_on_whatever_the_connection_says(site: Site) -> None:
    session = await site.start()
    site.server(session).answers["x"] = said
    sent = {"connection": "host, content-length, cookie", "cookie": "a=1"}
    answer = await site.client.put(f"{session.base}x", headers=sent, content=b"123")
    assert {"host", "content-length", "cookie"} <= dict(answer.json()).keys()


async def test_what_would_reach_beyond_the_session_is_left_out_of_its_answers(site: Site) -> None:
    session = await site.start()
    own = (*BEYOND, ("X-Own", "1"), ("Connection", "x-named"), ("X-Named", "1"), ("X-Odd", "a\x01b"))
    site.server(session).answers["x"] = lambda line: line.answer(200, b"", saying(*own))
    headers = (await site.get(f"{session.base}x")).headers
    for name, value in (*BEYOND, ("X-Named", "1"), ("X-Odd", "a\x01b")):
        assert headers.get(name) != value, name
    assert headers["x-own"] == "1"
    assert headers["x-amalthea-site"] == "north"


async def test_a_session_has_a_policy_of_its_own_and_never_that_of_our_pages(site: Site) -> None:
    session = await site.start()
    own = saying(("Content-Security-Policy", "default-src 'self'"))
    site.server(session).answers |= {
        "none": lambda line: line.answer(200, b""),
        "own": lambda line: line.answer(200, b"", own),
    }
    none, some = [(await site.get(session.base + path)).headers for path in ("none", "own")]
    assert none["content-security-policy"] == "frame-ancestors 'self'"
    assert some["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize(
    ("cookie", "becomes"),
    [
        ("a=1", "a=1; Path={}"),
        ("a=1; Path=/", "a=1; Path={}"),
        ("a=1; path=/user/other-north/; HttpOnly", "a=1; HttpOnly; Path={}"),
        ("a=1; Path={}lab; Secure", "a=1; Secure; Path={}lab"),
        ("a=1; Path={}a; Path=/", "a=1; Path={}"),
        ("a=1; Path", "a=1; Path={}"),
        ("a=1; Domain=example.org", None),
        ("a=1; DOMAIN=.example.org; Path={}", None),
        ("tmpnb-session=1", None),
        ("tmpnb-sessions=x:y; Path=/", None),
        ("=tmpnb-session=1", None),
        (" tmpnb-session=1", None),
        ("__Host-a=1; Secure; Path=/", None),
        ("__Secure-a=1; Secure", None),
        ("a", "a; Path={}"),
    ],
)
async def test_a_sessions_cookie_stays_below_its_path(site: Site, cookie: str, becomes: str | None) -> None:
    session = await site.start()
    headers = saying(("Set-Cookie", cookie.format(session.base)), ("Set-Cookie", "good=1"))
    site.server(session).answers["x"] = lambda line: line.answer(200, b"", headers)
    got = (await site.get(f"{session.base}x")).headers.get_list("set-cookie")
    first = [becomes.format(session.base)] if becomes else []
    assert got == [*first, f"good=1; Path={session.base}"]


TOKENS = st.text("abcPathDomain-_ ;=/.,", max_size=20)
COOKIES = st.lists(
    st.one_of(
        TOKENS,
        st.builds("{}={}".format, st.sampled_from(["Path", " path ", "DOMAIN", "a", "tmpnb-session", ""]), TOKENS),
        st.just(f"Path={BASE.decode()}x"),
    ),
    min_size=1,
    max_size=5,
).map(";".join)


@given(COOKIES)
def test_whatever_a_session_sets_it_is_for_its_own_path_and_no_other_host(cookie: str) -> None:
    for _, value in outwards([(b"Set-Cookie", cookie.encode())], base=BASE):
        pair, *attributes = value.decode().split(";")
        names = [attribute.partition("=")[0].strip().lower() for attribute in attributes]
        paths = [
            attribute.partition("=")[2] for attribute in attributes if attribute.strip().lower().startswith("path")
        ]
        assert "domain" not in names
        assert paths[-1].startswith(BASE.decode())
        assert not pair.lstrip("= ").startswith("tmpnb-session")


@given(st.lists(st.tuples(st.sampled_from(["a", "tmpnb-session", "tmpnb-sessions", "b"]), st.text("xyz", max_size=3))))
def test_a_session_sees_every_cookie_but_ours(cookies: list[tuple[str, str]]) -> None:
    header = "; ".join(f"{name}={value}" for name, value in cookies).encode()
    passed = b"".join(value for _, value in inwards([(b"cookie", header)], plain=False)).decode()
    assert "tmpnb" not in passed
    theirs = {name: value for name, value in cookies if not name.startswith("tmpnb")}
    assert {name: morsel.value for name, morsel in SimpleCookie(passed).items()} == theirs


async def test_one_browser_keeps_the_cookies_of_its_sessions_apart(site: Site) -> None:
    one, other = await site.start(), await site.start()
    for session in (one, other):
        site.server(session).answers |= {
            "set": lambda line: line.answer(200, b"", saying(("Set-Cookie", "who=x; Path=/"))),
            "x": said,
        }
    await site.get(f"{one.base}set")
    assert "who=x" in json.dumps((await site.get(f"{one.base}x")).json())
    assert "who=x" not in json.dumps((await site.get(f"{other.base}x")).json())


async def test_only_who_shows_the_token_gets_the_cookie_that_lets_the_strip_ask(site: Site, session: Found) -> None:
    shown = await site.browser().get(session.url)
    (cookie,) = shown.headers.get_list("set-cookie")
    assert cookie.startswith(f"tmpnb-session={session.token}; Path={session.base}; Max-Age=")
    assert "HttpOnly; SameSite=Lax" in cookie
    stranger = site.browser()
    for url in (f"{session.base}lab", f"{session.base}lab?token=guessed"):
        assert "set-cookie" not in (await stranger.get(url)).headers
    assert "set-cookie" not in (await site.browser().get(f"{session.base}api?token={session.token}")).headers


@pytest.fixture
async def session(site: Site) -> Found:
    return await site.start()
