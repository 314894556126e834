"""What is true of every forge, one after the other; and what Zenodo has, which is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.forges.bitbucket_server import Bitbucket
from tests.services.nbviewer.sources.forges.gitea_server import Gitea
from tests.services.nbviewer.sources.forges.gitlab_server import GitLab
from tests.services.nbviewer.sources.forges.huggingface_server import HuggingFace
from tests.services.nbviewer.sources.forges.serving import Forge, Repository, running
from tests.services.nbviewer.sources.forges.zenodo_server import Zenodo


class Kind(msgspec.Struct):
    """A kind of forge: its server, nbviewer's settings for it, and where `ada`'s repository `notes` is here."""

    server: Callable[[], Forge]
    settings: Callable[[Forge], dict[str, Any]]
    path: str
    name: tuple[str, ...] = ("ada", "notes")


KINDS = {
    "gitlab": Kind(GitLab, lambda forge: {"gitlab_urls": [forge.url]}, "/gitlab/{host}/ada/notes/-"),
    "gitea": Kind(Gitea, lambda forge: {"gitea_urls": [forge.url]}, "/gitea/{host}/ada/notes"),
    "bitbucket": Kind(
        Bitbucket,
        lambda forge: {"bitbucket_url": forge.url, "bitbucket_api_url": f"{forge.url}/2.0"},
        "/bitbucket/ada/notes",
    ),
    "model": Kind(
        HuggingFace,
        lambda forge: {"huggingface_url": forge.url},
        "/hf/ada/notes",
        ("models", "ada", "notes"),
    ),
    "dataset": Kind(
        HuggingFace,
        lambda forge: {"huggingface_url": forge.url},
        "/hf/datasets/ada/notes",
        ("datasets", "ada", "notes"),
    ),
}


class Shelf(msgspec.Struct):
    """A forge with one repository, nbviewer before it, and the repository's path there."""

    forge: Forge
    viewer: Nbviewer
    path: str

    @property
    def owner(self) -> str:
        """Where what `ada` has is listed."""
        return self.path.removesuffix("/-").removesuffix("notes")


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
async def shelf(request: pytest.FixtureRequest, store: MemoryStore, clock: Hand) -> AsyncIterator[Shelf]:
    kind: Kind = request.param
    forge = kind.server()
    forge.repositories[kind.name] = Repository(
        branches={
            "main": {
                "hello.ipynb": notebook("# Hello from main", "![plot](deep/plot.png)"),
                "deep/a mřížka.ipynb": notebook("# Grid"),
                "README.md": b"read me",
            },
            "feature/a": {"hello.ipynb": notebook("# Hello from a feature"), "sub/x.ipynb": notebook("# Deep")},
            "odd#1=2": {"hello.ipynb": notebook("# Hello from an odd branch")},
        },
        tags={"v1.0": {"hello.ipynb": notebook("# Hello from the tag")}},
    )
    async with running(forge), nbviewer(kind.settings(forge), store=store, clock=clock) as viewer:
        yield Shelf(forge, viewer, kind.path.format(host=forge.host))


async def test_a_notebook_becomes_a_page_that_leads_back_to_its_source(shelf: Shelf) -> None:
    answer = await shelf.viewer.get(f"{shelf.path}/blob/main/hello.ipynb")
    assert answer.status_code == 200
    assert "Hello from main" in answer.text
    assert f'href="{shelf.forge.url}/' in answer.text
    assert f'href="{shelf.owner}"' in answer.text
    assert f'href="{shelf.path}/tree/main/"' in answer.text


async def test_a_ref_may_have_any_form(shelf: Shelf) -> None:
    refs = [
        ("HEAD", "main"),
        ("refs/heads/main", "main"),
        ("v1.0", "the tag"),
        ("feature/a", "a feature"),
        ("feature%2Fa", "a feature"),
        ("refs/heads/feature/a", "a feature"),
        ("odd%231=2", "an odd branch"),
    ]
    for ref, said in refs:
        page = await shelf.viewer.get(f"{shelf.path}/blob/{ref}/hello.ipynb")
        assert f"Hello from {said}" in page.text, ref
        listing = await shelf.viewer.get(f"{shelf.path}/tree/{ref}/")
        assert listing.status_code == 200, ref
        assert "/hello.ipynb" in listing.text
    assert "Deep" in (await shelf.viewer.get(f"{shelf.path}/blob/feature/a/sub/x.ipynb")).text
    assert (
        f'href="{shelf.path}/blob/feature%2Fa/sub/x.ipynb"'
        in (await shelf.viewer.get(f"{shelf.path}/tree/feature/a/sub/")).text
    )


async def test_a_directory_lists_what_is_in_it_and_the_refs_to_see_it_at(shelf: Shelf) -> None:
    text = (await shelf.viewer.get(f"{shelf.path}/tree/main/")).text
    places = [text.index(f">{name}</a>") for name in ("deep", "hello.ipynb", "README.md")]
    assert places == sorted(places)
    assert f'href="{shelf.path}/tree/feature%2Fa/"' in text
    assert f'href="{shelf.path}/tree/v1.0/"' in text
    name = "deep/a%20m%C5%99%C3%AD%C5%BEka.ipynb"
    assert f'href="{shelf.path}/blob/main/{name}"' in (await shelf.viewer.get(f"{shelf.path}/tree/main/deep/")).text
    assert "Grid" in (await shelf.viewer.get(f"{shelf.path}/blob/main/{name}")).text


async def test_other_forms_of_an_address_lead_to_its_own(shelf: Shelf) -> None:
    elsewhere = [
        (f"{shelf.path.removesuffix('/-')}/", f"{shelf.path}/tree/main/"),
        (f"{shelf.path}/tree/main", f"{shelf.path}/tree/main/"),
        (f"{shelf.path}/tree/main/hello.ipynb/", f"{shelf.path}/blob/main/hello.ipynb"),
        (f"{shelf.path}/blob/main/deep", f"{shelf.path}/tree/main/deep/"),
        (f"{shelf.path}/blob/main/hello.ipynb/?a=b", f"{shelf.path}/blob/main/hello.ipynb?a=b"),
        (shelf.owner.removesuffix("/"), shelf.owner),
    ]
    assert [(path, await shelf.viewer.leads_to(path)) for path, _ in elsewhere] == elsewhere


async def test_an_owner_has_repositories(shelf: Shelf) -> None:
    text = (await shelf.viewer.get(shelf.owner)).text
    assert f'href="{shelf.path.removesuffix("/-")}/"' in text


async def test_what_is_not_there_is_a_404_page(shelf: Shelf) -> None:
    for path in ("blob/main/nothing.ipynb", "tree/nothing/", "tree/main/nothing/", "blob/nothing/a.ipynb", "issues"):
        assert (await shelf.viewer.get(f"{shelf.path}/{path}")).status_code == 404, path
    nowhere = shelf.path.replace("ada", "nobody")
    assert (await shelf.viewer.get(f"{nowhere}/tree/main/")).status_code == 404


async def test_a_page_seen_again_is_vouched_for_without_a_body(shelf: Shelf, clock: Hand) -> None:
    pages = [
        f"{shelf.path}/blob/HEAD/hello.ipynb",
        f"{shelf.path}/tree/main/",
        f"{shelf.path}/blob/feature/a/hello.ipynb",
    ]
    for _ in range(2):
        for page in pages:
            assert (await shelf.viewer.get(page)).status_code == 200
        bodies = sum(shelf.forge.bodies.values())
        clock.move(61)
    for page in pages:
        await shelf.viewer.get(page)
    assert sum(shelf.forge.bodies.values()) == bodies


async def test_flushing_shows_a_change_at_once(shelf: Shelf) -> None:
    page, tree = f"{shelf.path}/blob/main/hello.ipynb", f"{shelf.path}/tree/main/"
    await shelf.viewer.get(page)
    await shelf.viewer.get(tree)
    (repository,) = shelf.forge.repositories.values()
    repository.branches["main"] = {"hello.ipynb": notebook("# Changed"), "new.ipynb": notebook("# New")}
    repository.branches["fresh"] = {}
    assert "Changed" in (await shelf.viewer.get(f"{page}?flush_cache=true")).text
    listing = (await shelf.viewer.get(f"{tree}?flush_cache=true")).text
    assert "new.ipynb" in listing
    assert "/tree/fresh/" in listing


@pytest.fixture
async def zenodo() -> AsyncIterator[Zenodo]:
    made = Zenodo()
    made.records["1234"] = {"a b.ipynb": notebook("# From a record"), "data.csv": b"1,2"}
    made.newest["1233"] = "1234"
    async with running(made):
        yield made


@pytest.fixture
async def archive(zenodo: Zenodo, store: MemoryStore, clock: Hand) -> AsyncIterator[Nbviewer]:
    async with nbviewer({"zenodo_url": zenodo.url}, store=store, clock=clock) as made:
        yield made


async def test_a_record_lists_its_files_and_shows_its_notebooks(archive: Nbviewer, zenodo: Zenodo) -> None:
    listing = (await archive.get("/zenodo/1234/")).text
    assert "Light &amp; lenses" in listing
    assert 'href="/zenodo/1234/a%20b.ipynb"' in listing
    assert f'href="{zenodo.url}/records/1234/files/data.csv"' in listing
    page = await archive.get("/zenodo/1234/a%20b.ipynb")
    assert "From a record" in page.text
    assert 'href="/zenodo/1234/"' in page.text


async def test_other_forms_of_a_records_address_lead_to_its_own(archive: Nbviewer, zenodo: Zenodo) -> None:
    assert await archive.leads_to("/zenodo/1234") == "/zenodo/1234/"
    assert await archive.leads_to("/zenodo/1233/") == "/zenodo/1234/"
    assert await archive.leads_to("/zenodo/1234/a.ipynb/") == "/zenodo/1234/a.ipynb"
    assert await archive.leads_to("/zenodo/1234/data.csv") == f"{zenodo.url}/records/1234/files/data.csv"


async def test_what_no_record_has_is_a_404_page(archive: Nbviewer) -> None:
    for path in ("/zenodo/9/", "/zenodo/1234/x.ipynb", "/zenodo/abc/", "/zenodo/"):
        assert (await archive.get(path)).status_code == 404, path
