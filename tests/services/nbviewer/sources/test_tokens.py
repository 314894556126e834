"""GitHub's budgets: what costs, what is free, and which token pays."""

from __future__ import annotations

from amalthea.services.nbviewer.sources.tokens import parse
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, Nbviewer, nbviewer, notebook
from tests.services.nbviewer.sources.github_server import GitHub, Repository

HELLO = "/github/ada/notes/blob/main/hello.ipynb"
TREE = "/github/ada/notes/tree/main/"
SLASHED = "/github/ada/notes/tree/feature/a/"
REPOSITORIES = "/github/ada/"


def test_tokens_are_separated_by_commas_or_spaces() -> None:
    assert parse("one,two three\n\tfour, one ,") == ("one", "two", "three", "four")
    assert parse("") == ()


async def test_a_page_seen_again_costs_no_api_budget(viewer: Nbviewer, github: GitHub, clock: Hand) -> None:
    pages = (HELLO, TREE, REPOSITORIES, "/github/ada/notes/blob/feature/a/hello.ipynb")
    for page in pages:
        assert (await viewer.get(page)).status_code == 200
    left, changed = github.left, viewer.count("fetches_total", result="changed")
    for _ in range(3):
        clock.move(61)
        for page in pages:
            assert (await viewer.get(page)).status_code == 200
    assert github.left == left
    assert viewer.count("fetches_total", result="changed") == changed
    assert viewer.count("fetches_total", result="unchanged") > 0


async def test_flushing_what_has_not_changed_costs_no_api_budget(viewer: Nbviewer, github: GitHub) -> None:
    await viewer.get(TREE)
    left, asked = github.left, sum(github.asked.values())
    assert (await viewer.get(f"{TREE}?flush_cache=true")).status_code == 200
    assert sum(github.asked.values()) == asked + 3  # the directory, the branches, the tags
    assert github.left == left


async def test_flushing_shows_a_new_file_in_a_directory_and_a_new_branch_in_the_menu(
    viewer: Nbviewer, github: GitHub
) -> None:
    await viewer.get(TREE)
    repository = github.repositories["ada", "notes"]
    repository.branches["main"]["new.ipynb"] = notebook("# New")
    repository.branches["newer"] = {}
    assert "new.ipynb" not in (await viewer.get(TREE)).text
    text = (await viewer.get(f"{TREE}?flush_cache=true")).text
    assert "new.ipynb" in text
    assert "/tree/newer/" in text


async def test_each_new_question_is_paid_by_the_token_with_most_left(
    github: GitHub, store: MemoryStore, clock: Hand
) -> None:
    github.budgets = {"first": 100, "second": 4000}
    async with nbviewer(github.settings(), store=store, clock=clock, token="first second") as viewer:
        for page in (TREE, REPOSITORIES, SLASHED):
            assert (await viewer.get(page)).status_code == 200
        assert viewer.count("github_budget", token="0") == github.budgets["first"]
        assert viewer.count("github_budget", token="1") == github.budgets["second"]
        assert github.budgets["first"] >= 98
        left = dict(github.budgets)
        clock.move(61)
        for page in (TREE, REPOSITORIES, SLASHED):
            await viewer.get(page)
        assert github.budgets == left, "the same token asks again, as a 304 is for its own ETag only"


async def test_a_spent_token_rests_and_another_pays(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    github.budgets = {"first": 2, "second": 2}
    github.reset = int(clock().timestamp()) + 1800
    async with nbviewer(github.settings(), store=store, clock=clock, token="first,second") as viewer:
        assert (await viewer.get(TREE)).status_code == 200
        assert (await viewer.get(REPOSITORIES)).status_code == 200
        limited = await viewer.get("/github/grace/")
        assert (limited.status_code, limited.headers["retry-after"]) == (503, "1800")
        asked = sum(github.asked.values())
        await viewer.get("/github/alan/")
        assert sum(github.asked.values()) == asked
        github.budgets = {"first": 10, "second": 10}
        clock.move(1801)
        assert (await viewer.get("/github/grace/")).status_code == 404


async def test_a_token_that_github_does_not_know_is_left_out(github: GitHub, store: MemoryStore, clock: Hand) -> None:
    github.budgets = {"good": 100}
    async with nbviewer(github.settings(), store=store, clock=clock, token="revoked good") as viewer:
        assert (await viewer.get(TREE)).status_code == 200
        assert (await viewer.get(REPOSITORIES)).status_code == 200
    assert github.budgets["good"] < 100


async def test_a_host_that_asks_for_a_pause_is_not_asked_again_before(
    viewer: Nbviewer, github: GitHub, clock: Hand
) -> None:
    await viewer.get(HELLO)
    clock.move(61)
    github.pause = 120
    stale = await viewer.get(HELLO)
    assert stale.status_code == 200
    assert "An older copy" in stale.text
    asked = sum(github.asked.values())
    for page in (TREE, REPOSITORIES, "/github/ada/notes/blob/main/9.ipynb"):
        answer = await viewer.get(page)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "120")
    assert sum(github.asked.values()) == asked
    github.pause = 0
    clock.move(121)
    assert (await viewer.get(TREE)).status_code == 200


async def test_a_repository_that_has_a_new_name_is_shown_under_it(viewer: Nbviewer, github: GitHub) -> None:
    github.renamed["ada", "old"] = ("ada", "notes")
    assert await viewer.leads_to("/github/ada/old/") == TREE
    assert await viewer.leads_to("/github/ada/old/blob/main/hello.ipynb") == HELLO
    assert (await viewer.get("/github/ada/old/blob/main/nothing.ipynb")).status_code == 302
    assert (await viewer.get("/github/ada/notes/blob/main/nothing.ipynb")).status_code == 404
    listing = await viewer.get("/github/ada/old/tree/main/", follow_redirects=True)
    assert 'href="/github/ada/notes/tree/main/"' in listing.text


async def test_a_file_that_its_branch_lost_is_gone_even_where_a_copy_is_kept(
    viewer: Nbviewer, github: GitHub, clock: Hand
) -> None:
    await viewer.get(HELLO)
    del github.repositories["ada", "notes"].branches["main"]["hello.ipynb"]
    assert (await viewer.get(f"{HELLO}?flush_cache=true")).status_code == 404
    github.repositories["ada", "notes"].branches["main"]["hello.ipynb"] = notebook("# Back")
    assert "Back" in (await viewer.get(HELLO)).text


async def test_repositories_of_a_user_have_pages(viewer: Nbviewer, github: GitHub, clock: Hand) -> None:
    for number in range(150):
        github.repositories["grace", f"r{number}"] = Repository()
    for _ in range(2):
        assert 'rel="next" href="?page=2"' in (await viewer.get("/github/grace/")).text
        second = (await viewer.get("/github/grace/?page=2")).text
        assert 'rel="prev" href="?page=1"' in second
        assert 'rel="next"' not in second
        clock.move(61)
