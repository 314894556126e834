from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.forges.gitlab_server import GitLab
from tests.services.nbviewer.sources.forges.serving import Repository, running


@pytest.fixture
async def gitlab() -> AsyncIterator[GitLab]:
    made = GitLab()
    made.repositories["physics", "optics", "notes"] = Repository(
        branches={
            "main": {
                "hello.ipynb": notebook("# Hello from main"),
                "deep/grid.ipynb": notebook("# Grid"),
                "README.md": b"read me",
            }
        },
    )
    made.repositories["physics", "many"] = Repository(
        branches={"main": {f"{number}.ipynb": b"" for number in range(150)}}
    )
    made.repositories["ada", "own"] = Repository(branches={"main": {"a.ipynb": notebook("a")}})
    made.moved["physics/notes"] = "physics/optics/notes"
    async with running(made) as gitlab:
        yield gitlab


@pytest.fixture
async def viewer(gitlab: GitLab, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    async with nbviewer({"gitlab_urls": [gitlab.url]}, store=store, clock=clock) as made:
        yield made


@pytest.fixture
def notes(gitlab: GitLab) -> str:
    return f"/gitlab/{gitlab.host}/physics/optics/notes"


async def test_a_notebook_becomes_a_page_that_leads_back_to_its_source(
    viewer: Nbviewer, gitlab: GitLab, notes: str
) -> None:
    answer = await viewer.get(f"{notes}/-/blob/main/hello.ipynb")
    assert answer.status_code == 200
    assert "Hello from main" in answer.text
    assert f'href="{gitlab.url}/physics/optics/notes/-/blob/main/hello.ipynb"' in answer.text
    for crumb in ("physics/", "physics/optics/", "physics/optics/notes/-/tree/main/"):
        assert f'href="/gitlab/{gitlab.host}/{crumb}"' in answer.text


async def test_a_long_directory_has_pages(viewer: Nbviewer, gitlab: GitLab, clock: Hand) -> None:
    path = f"/gitlab/{gitlab.host}/physics/many/-/tree/main/"
    for _ in range(2):  # from its source, and again when nothing has changed
        first = (await viewer.get(path)).text
        assert 'rel="next" href="?page=2"' in first
        second = (await viewer.get(f"{path}?page=2")).text
        assert 'rel="prev" href="?page=1"' in second
        assert 'rel="next"' not in second
        clock.move(61)


async def test_a_group_lists_its_groups_and_projects_and_a_user_his_projects(viewer: Nbviewer, gitlab: GitLab) -> None:
    text = (await viewer.get(f"/gitlab/{gitlab.host}/physics/")).text
    assert f'href="/gitlab/{gitlab.host}/physics/optics/"' in text
    assert f'href="/gitlab/{gitlab.host}/physics/many/"' in text
    assert (
        f"/gitlab/{gitlab.host}/physics/optics/notes/"
        in (await viewer.get(f"/gitlab/{gitlab.host}/physics/optics/")).text
    )
    assert f"/gitlab/{gitlab.host}/ada/own/" in (await viewer.get(f"/gitlab/{gitlab.host}/ada/")).text


async def test_other_forms_of_an_address_lead_to_its_own(viewer: Nbviewer, gitlab: GitLab, notes: str) -> None:
    elsewhere = [
        (notes, f"{notes}/"),
        (f"{notes}/", f"{notes}/-/tree/main/"),
        (f"{notes}/-/", f"{notes}/-/tree/main/"),
        (f"{notes}/-/tree/main", f"{notes}/-/tree/main/"),
        (f"{notes}/-/tree/main/hello.ipynb/", f"{notes}/-/blob/main/hello.ipynb"),
        (f"{notes}/-/blob/main/deep", f"{notes}/-/tree/main/deep/"),
        (f"{notes}/-/blob/main/hello.ipynb/?a=b", f"{notes}/-/blob/main/hello.ipynb?a=b"),
        (f"{notes}/-/tree/main/README.md/", f"{notes}/-/blob/main/README.md"),
        (f"/gitlab/{gitlab.host}/physics/notes/", f"{notes}/-/tree/main/"),
    ]
    assert [(path, await viewer.leads_to(path)) for path, _ in elsewhere] == elsewhere


async def test_what_is_not_there_is_a_404_page(viewer: Nbviewer, gitlab: GitLab, notes: str) -> None:
    for path in (
        f"{notes}/-/blob/main/nothing.ipynb",
        f"{notes}/-/tree/nothing/",
        f"{notes}/-/tree/main/nothing/",
        f"{notes}/-/issues",
        f"/gitlab/{gitlab.host}/nobody/",
        f"/gitlab/{gitlab.host}/no/body/",
        f"/gitlab/{gitlab.host}/",
        "/gitlab/",
        "/gitlab/nonsense/a/b/-/blob/main/x.ipynb",
    ):
        assert (await viewer.get(path)).status_code == 404, path


async def test_a_host_that_only_a_visitor_names_is_judged_like_any_address(
    gitlab: GitLab, store: MemoryStore, clock: Hand
) -> None:
    async with nbviewer({}, store=store, clock=clock) as viewer:
        answer = await viewer.get(f"/gitlab/{gitlab.host}/physics/optics/notes/-/blob/main/hello.ipynb")
    assert answer.status_code == 400
    assert not gitlab.asked
