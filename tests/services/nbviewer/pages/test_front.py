"""The front page from a file as nbviewer has it, and the questions people ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amalthea.model.errors import UsageError
from amalthea.services.nbviewer.pages.frontpage import front
from amalthea.services.nbviewer.settings import Settings
from amalthea.store.memory import MemoryStore
from tests.services.nbviewer.conftest import Hand, nbviewer

LINK = {"text": "A & B", "target": "github/ipython/ipython/blob/6.x/a%20b.ipynb", "img": "/img/a.png"}
SAID = {"title": "Ours", "subtitle": "notebooks", "text": "Go **on**", "show_input": True}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "frontpage.json"
    path.write_text(json.dumps({**SAID, "sections": [{"header": "Books", "links": [LINK]}]}))
    return path


async def test_an_existing_file_of_nbviewer_works(file: Path, store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({"frontpage": str(file)}, store=store, clock=clock) as viewer:
        text = (await viewer.get("/")).text
    assert "<h1>Ours</h1>" in text
    assert "<strong>on</strong>" in text
    assert 'href="/github/ipython/ipython/blob/6.x/a%20b.ipynb"' in text
    assert "A &amp; B" in text


def test_images_beside_the_file_become_part_of_the_page_and_others_are_left_out(file: Path) -> None:
    settings = Settings(frontpage=str(file))
    assert front(settings).shelves[0].cards[0].image == ""
    (file.parent / "img").mkdir()
    (file.parent / "img" / "a.png").write_bytes(b"\x89PNG")
    assert front(settings).shelves[0].cards[0].image == "data:image/png;base64,iVBORw=="
    file.write_text(file.read_text().replace("/img/a.png", "../secret.png"))
    (file.parent.parent / "secret.png").write_bytes(b"x")
    assert front(settings).shelves[0].cards[0].image == ""


@pytest.mark.parametrize("text", ["", "[]", '{"sections": 3}', '{"sections": [{"links": [{"text": "x"}]}]}'])
def test_a_file_that_cannot_be_used_is_told_at_the_start(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match="frontpage"):
        front(Settings(frontpage=str(file)))
    with pytest.raises(UsageError, match="cannot read"):
        front(Settings(frontpage="/nowhere.json"))


async def test_the_questions_have_answers_and_contents(store: MemoryStore, clock: Hand) -> None:
    async with nbviewer({"contact": "ada@example.org"}, store=store, clock=clock) as viewer:
        answer = await viewer.get("/faq/")
    assert answer.status_code == 200
    for text in ("64 MiB", "flush_cache=true", "robots.txt", 'aria-label="Contents"', "mailto:ada@example.org"):
        assert text in answer.text
