"""Names and redirects that would lead into a network, with a real name server that changes its mind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.fetching.name_server import NameServer, name_server
from tests.services.nbviewer.sources.forges.gitlab_server import GitLab
from tests.services.nbviewer.sources.forges.serving import Repository, running
from tests.services.nbviewer.sources.test_urls import REFUSAL, Web, web


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server() as made:
        yield made


@pytest.fixture
async def origin() -> AsyncIterator[Web]:
    async with web() as made:
        yield made


@pytest.fixture
async def viewer(origin: Web, names: NameServer, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    """An nbviewer that may fetch from every name, and from `friend.example` though it is this machine."""
    names.names["friend.example"] = [["127.0.0.1"]]
    settings = {"private_hosts": [f"friend.example:{origin.port}"], "ports": [80, 443, origin.port], "patience": "1 s"}
    async with nbviewer(settings, store=store, clock=clock, resolve=names.resolve) as made:
        yield made


async def test_a_name_that_whoever_runs_this_named_is_fetched_though_its_address_is_private(
    viewer: Nbviewer, origin: Web, names: NameServer
) -> None:
    answer = await viewer.get(f"/url/friend.example:{origin.port}/a.ipynb")
    assert "From the web" in answer.text
    assert names.asked["friend.example", "A"] == 1


INSIDE = [
    "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "240.0.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "::127.0.0.1", "2001:db8::1",
]  # fmt: skip


async def test_a_name_with_an_address_inside_is_refused_whatever_else_it_has(
    viewer: Nbviewer, origin: Web, names: NameServer
) -> None:
    for number, address in enumerate(INSIDE):
        names.names[f"alone{number}.example"] = [[address]]
        names.names[f"mixed{number}.example"] = [["140.82.121.4", "2606:50c0:8000::154", address]]
        for name in (f"alone{number}.example", f"mixed{number}.example"):
            answer = await viewer.get(f"/url/{name}:{origin.port}/a.ipynb")
            assert (answer.status_code, REFUSAL in answer.text) == (400, True), (name, address)
    assert origin.asked == []


async def test_an_alias_of_an_alias_is_judged_by_where_it_ends(
    viewer: Nbviewer, origin: Web, names: NameServer
) -> None:
    names.names["one.example"] = [["two.example"]]
    names.names["two.example"] = [["three.example"]]
    names.names["three.example"] = [["127.0.0.1"]]
    answer = await viewer.get(f"/url/one.example:{origin.port}/a.ipynb")
    assert (answer.status_code, REFUSAL in answer.text) == (400, True)
    assert names.asked["three.example", "A"] == 1
    assert origin.asked == []


async def test_a_name_that_was_fine_and_now_leads_inside_is_refused(
    origin: Web, names: NameServer, store: MemoryStore, clock: Hand
) -> None:
    names.names["rebind.example"] = [["10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"]]
    async with nbviewer({"ports": [origin.port]}, store=store, clock=clock, resolve=names.resolve) as viewer:
        for _ in range(4):
            assert (await viewer.get(f"/url/rebind.example:{origin.port}/a.ipynb")).status_code == 400
    assert names.asked["rebind.example", "A"] == 4
    assert origin.asked == []


async def test_a_redirect_is_judged_anew_at_every_step(viewer: Nbviewer, origin: Web, names: NameServer) -> None:
    names.names["inside.example"] = [["192.168.0.1"]]
    names.names["alias.example"] = [["inside.example"]]
    here = f"http://friend.example:{origin.port}"
    targets = [f"http://{host}:{origin.port}/a.ipynb" for host in
               ("inside.example", "alias.example", "127.0.0.1", "[::1]", "[::ffff:7f00:1]", "2130706433", "0x7f.1",
                "0177.1", "nbviewer.example.org", "user@friend.example", "nowhere.example")]  # fmt: skip
    for target in targets:
        chain = f"{here}/inside.ipynb?to={quote(target, safe='')}"
        for _ in range(2):
            origin.asked.clear()
            asked = quote(f"?to={quote(chain, safe='')}", safe="")
            answer = await viewer.get(f"/url/friend.example:{origin.port}/inside.ipynb/{asked}")
            assert (answer.status_code, REFUSAL in answer.text) == (400, True), target
            assert len(origin.asked) == 2


async def test_a_name_that_changes_between_two_redirects_is_judged_at_the_second(
    origin: Web, names: NameServer, store: MemoryStore, clock: Hand
) -> None:
    """The same name, trusted at no port: what is true of its first answer is nothing to the second."""
    names.names["friend.example"] = [["127.0.0.1"]]
    names.names["turn.example"] = [["10.0.0.1"], ["127.0.0.1"]]
    settings = {"private_hosts": [f"friend.example:{origin.port}"], "ports": [80, 443, origin.port]}
    async with nbviewer(settings, store=store, clock=clock, resolve=names.resolve) as viewer:
        asked = quote(f"?to={quote(f'http://turn.example:{origin.port}/a.ipynb', safe='')}", safe="")
        for _ in range(2):
            answer = await viewer.get(f"/url/friend.example:{origin.port}/inside.ipynb/{asked}")
            assert answer.status_code == 400
    assert all("a.ipynb" not in url or "inside.ipynb" in url for url in origin.asked)


async def test_own_names_and_credentials_are_refused_before_any_look_up(
    viewer: Nbviewer, origin: Web, names: NameServer
) -> None:
    for host in ("nbviewer.example.org", "content.example.org", "nbviewer.example.org."):
        names.names[host.rstrip(".")] = [["140.82.121.4"]]
        assert (await viewer.get(f"/url/{host}/a.ipynb")).status_code == 400
    assert (await viewer.get(f"/url/ada:secret@friend.example:{origin.port}/a.ipynb")).status_code == 404
    assert not names.asked
    assert origin.asked == []


async def test_a_universitys_gitlab_is_reached_when_the_settings_name_it(
    names: NameServer, store: MemoryStore, clock: Hand
) -> None:
    gitlab = GitLab()
    gitlab.repositories["physics", "notes"] = Repository(branches={"main": {"a.ipynb": notebook("# From inside")}})
    names.names["gitlab.example.edu"] = [["127.0.0.1"]]
    async with running(gitlab):
        host = f"gitlab.example.edu:{gitlab.host.rpartition(':')[2]}"
        path = f"/gitlab/{host}/physics/notes/-/blob/main/a.ipynb"
        named = {"gitlab_urls": [f"http://{host}"]}
        async with nbviewer(named, store=store, clock=clock, resolve=names.resolve) as viewer:
            assert "From inside" in (await viewer.get(path)).text
            assert (await viewer.get(f"/url/{host}/physics/notes/-/raw/main/a.ipynb")).status_code == 400
        async with nbviewer({"private_hosts": [host]}, store=store, clock=clock, resolve=names.resolve) as viewer:
            raw = f"/url/{host}/api/v4/projects/physics%2Fnotes/repository/files/a.ipynb/raw/%3Fref%3Dmain"
            assert "From inside" in (await viewer.get(raw)).text
