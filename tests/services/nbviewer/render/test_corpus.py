"""Real notebooks from public repositories, where there are some. Their path is in AMALTHEA_CORPUS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amalthea.services.nbviewer.render import Options, render
from tests.services.nbviewer.render.passive import CONTENT, assert_passive

ROOT = Path(__file__).parents[4]
CORPUS = Path(os.environ.get("AMALTHEA_CORPUS", ROOT.parent / "shared" / "corpus"))
OPTIONS = Options(raw_base="https://raw.example.org/u/r/", link_base="/github/u/r/blob/main/", content=CONTENT)


@pytest.mark.slow
def test_every_real_notebook_is_a_page_and_passive() -> None:
    files = sorted(CORPUS.rglob("*.ipynb"))
    if not files:
        pytest.skip(f"there are no notebooks in {CORPUS}; set AMALTHEA_CORPUS to a directory that has some")
    empty = list[str]()
    for file in files:
        page = render(file.read_bytes(), OPTIONS)
        reader = assert_passive(page.body)
        if page.cells and not "".join(reader.text).strip() and "<img" not in page.body and not page.frames:
            empty.append(str(file))
        assert not [problem for problem in page.problems if "could not be shown" in problem], file
    assert empty == []


def test_the_sample_shows_one_of_everything() -> None:
    source = ROOT / "src" / "amalthea" / "services" / "nbviewer" / "sample.ipynb"
    page = render(source.read_bytes())
    assert_passive(page.body)
    assert page.problems == ()
    assert page.title == "Four moons, one notebook"
    for part in ("<math", "data:image/png", "data:image/svg+xml", 'class="dataframe"', 'class="latex"', 'class="json"',
                 'class="out stderr"', 'class="traceback"', 'class="fold"', "a-f1", "☑", "footnote"):  # fmt: skip
        assert part in page.body
