"""nbviewer as the service of a real JupyterHub: who may come in, and how they come back to their page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.services.nbviewer.conftest import notebook
from tests.services.nbviewer.hub.running import PREFIX, Browser, RunningHub, running

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hub")]

PAGE = f"{PREFIX}localfile/a%20mountain.ipynb?line_numbers=true"
PICTURE = f"{PREFIX}localfile/peak.png"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    directory = tmp_path_factory.mktemp("hub")
    notebooks = directory / "notebooks"
    notebooks.mkdir()
    (notebooks / "a mountain.ipynb").write_bytes(notebook("# Hello, reader", "![peak](peak.png)"))
    (notebooks / "peak.png").write_bytes(b"\x89PNG")
    for path in (notebooks, *notebooks.iterdir()):
        path.chmod(0o755)
    with running(directory, "--local", str(notebooks), "--set", "content_url=https://content.example.org") as made:
        yield made


@pytest.fixture
def browser(hub: RunningHub) -> Iterator[Browser]:
    with Browser(hub) as made:
        yield made


@pytest.fixture
def ada(browser: Browser) -> Browser:
    """A browser whose visitor may come in, and did."""
    assert browser.log_in("ada", browser.open(PAGE)).status_code == 200
    return browser


def test_a_visitor_is_sent_to_the_hubs_login_and_back_to_the_very_page(browser: Browser) -> None:
    login = browser.open(PAGE)
    assert login.status_code == 200
    assert browser.way[0] == PAGE
    assert browser.way[-1].startswith("/hub/login?next=" + quote("/hub/api/oauth2/authorize", safe=""))
    page = browser.log_in("ada", login)
    assert page.status_code == 200
    assert "Hello, reader" in page.text
    assert browser.way[-1] == PAGE
    assert browser.ask(PAGE).status_code == 200


def test_the_session_is_a_cookie_for_this_service_that_no_script_can_read(browser: Browser) -> None:
    set_by = []
    login = browser.open(PAGE)
    browser.log_in("ada", login)
    for cookie in browser.cookies.jar:
        if cookie.name.startswith("nbviewer-"):
            set_by.append(cookie)
            assert cookie.path == PREFIX
            assert cookie.has_nonstandard_attr("HttpOnly")
            assert cookie.get_nonstandard_attr("SameSite", "").lower() == "lax"
    assert [cookie.name for cookie in set_by] == ["nbviewer-session"]


@pytest.mark.parametrize("path", ["", "faq", "sample", "localfile/", "github/ada/notes/", "create", "nowhere/at/all"])
def test_nothing_but_static_files_and_robots_is_shown_without_a_login(browser: Browser, path: str) -> None:
    answer = browser.ask(PREFIX + path)
    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    assert target.path == "/hub/api/oauth2/authorize"
    asked = parse_qs(target.query)
    assert asked["client_id"] == ["service-nbviewer"]
    assert asked["redirect_uri"] == [f"{PREFIX}oauth_callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert answer.headers["cache-control"] == "no-store"


def test_static_files_and_robots_need_no_login(browser: Browser, ada: Browser) -> None:
    front = ada.ask(PREFIX)
    (style,) = re.findall(rf'href="({PREFIX}static/[^"]+\.css)"', front.text)[:1]
    browser.cookies.clear()
    assert browser.ask(style).status_code == 200
    assert f"Disallow: {PREFIX}*?flush_cache" in browser.ask(f"{PREFIX}robots.txt").text


def test_a_user_without_the_scope_is_told_so(browser: Browser) -> None:
    refused = browser.log_in("eve", browser.open(PAGE))
    assert refused.status_code == 403


def test_pages_of_a_login_are_kept_by_nobody_but_the_browser(ada: Browser) -> None:
    answer = ada.ask(PAGE)
    assert "private" in answer.headers["cache-control"]
    assert "public" not in answer.headers["cache-control"]
    assert "cookie" in answer.headers["vary"].lower()


def test_a_code_is_good_only_in_the_browser_that_asked_for_it(hub: RunningHub, browser: Browser) -> None:
    browser.log_in("ada", browser.open("/hub/login"))
    first = browser.ask(PAGE)
    back = browser.ask(first.headers["location"]).headers["location"]
    assert urlsplit(back).path == f"{PREFIX}oauth_callback"
    with Browser(hub) as other:
        refused = other.ask(back)
        assert refused.status_code == 403
        assert "not begun in this browser" in refused.text
        assert not [cookie for cookie in other.cookies.jar if cookie.name == "nbviewer-session"]
    assert browser.ask(back).headers["location"] == PAGE
    assert browser.ask(back).status_code == 403


@pytest.mark.parametrize("session", ["x", "x.y", "Zm9v.AAAA", "=.=", "." * 100])
def test_a_session_that_was_not_signed_here_is_none(browser: Browser, session: str) -> None:
    answer = browser.ask(PAGE, cookie=f"nbviewer-session={session}")
    assert answer.status_code == 302


@pytest.mark.parametrize("path", ["/evil.example/x", "//evil.example", "%2f%2fevil.example", "\\evil.example"])
def test_the_way_back_never_leaves_the_service(browser: Browser, path: str) -> None:
    browser.log_in("ada", browser.open("/hub/login"))
    browser.open(PREFIX + path)
    assert all(step.startswith((PREFIX, "/hub/")) for step in browser.way)


def test_pictures_do_not_begin_logins(browser: Browser) -> None:
    answer = browser.ask(PICTURE, **{"sec-fetch-dest": "image"})
    assert answer.status_code == 403
    assert not list(browser.cookies.jar)


def test_logging_out_ends_the_session_here_and_at_the_hub(ada: Browser) -> None:
    ada.open(f"{PREFIX}logout")
    assert not [cookie for cookie in ada.cookies.jar if cookie.name == "nbviewer-session"]
    ada.open(PAGE)
    assert ada.way[-1].startswith("/hub/login?next=")


def test_a_picture_in_a_notebook_logs_nobody_out(ada: Browser) -> None:
    answer = ada.ask(f"{PREFIX}logout", **{"sec-fetch-dest": "image"})
    assert answer.status_code == 403
    assert ada.ask(PAGE).status_code == 200


def test_leaving_the_hub_ends_the_session_here(ada: Browser) -> None:
    ada.open("/hub/logout")
    ada.open(PAGE)
    assert ada.way[-1].startswith("/hub/login?next=")


def test_a_picture_is_shown_on_the_content_origin_to_whoever_a_page_sent_there(hub: RunningHub, ada: Browser) -> None:
    moved = ada.ask(PICTURE)
    assert moved.status_code == 302
    target = urlsplit(moved.headers["location"])
    assert f"{target.scheme}://{target.netloc}" == "https://content.example.org"
    shown = hub.content(f"{target.path}?{target.query}")
    assert (shown.status_code, shown.content) == (200, b"\x89PNG")
    assert "private" in shown.headers["cache-control"]
    assert hub.content(target.path).status_code == 403
    assert hub.content(f"{target.path.replace('peak', 'other')}?{target.query}").status_code == 403
