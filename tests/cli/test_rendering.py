"""`amalthea render`: files in, files out, and a sentence for what could not be made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import html5lib

from tests.cli.test_commands import amalthea
from tests.services.nbviewer.conftest import notebook


def test_notebooks_become_pages_that_need_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.ipynb").write_bytes(notebook("# Ada"))
    (tmp_path / "in" / "deep" / "b.ipynb").write_bytes(notebook("# Bob"))
    (tmp_path / "in" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "in" / ".ipynb_checkpoints" / "c.ipynb").write_bytes(notebook("# Old"))
    done = amalthea("render", "in", "-o", "out", at=tmp_path)
    assert "2 notebooks rendered in" in done.stdout
    made = sorted(str(found.relative_to(tmp_path)) for found in (tmp_path / "out").rglob("*.*"))
    assert made == ["out/a.html", "out/deep/b.html"]
    page = html5lib.parse((tmp_path / "out" / "a.html").read_text(), namespaceHTMLElements=False)
    assert page.find(".//h1") is not None
    assert ".woff2" not in (tmp_path / "out" / "a.html").read_text()
    assert not [element for element in page.iter() if element.get("src") or element.tag == "link"]


def test_every_format_has_its_ending(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(notebook("# Ada", language_info={"name": "julia"}))
    for kind in ("html", "slides", "script"):
        amalthea("render", "a.ipynb", "--format", kind, at=tmp_path)
    assert (tmp_path / "a.jl").read_text() == "# %% [markdown]\n# # Ada\n"
    assert "Reveal.initialize" in (tmp_path / "a.slides.html").read_text()
    assert (tmp_path / "a.html").is_file()


def test_a_bad_notebook_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.ipynb").write_text("<html>")
    (tmp_path / "good.ipynb").write_bytes(notebook("# Ada"))
    done = amalthea("render", "bad.ipynb", "good.ipynb", "--json", at=tmp_path, expect=1)
    bad, good, end = map(json.loads, done.stdout.splitlines())
    assert "not JSON" in bad["error"]
    assert good["file"] == "good.html"
    assert (end["rendered"], end["failed"]) == (1, 1)
    assert not (tmp_path / "bad.html").exists()


def test_a_dry_run_writes_nothing_and_a_missing_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(notebook("# Ada"))
    assert "a.ipynb" in amalthea("render", "a.ipynb", "--dry-run", at=tmp_path).stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.ipynb"]
    assert "no such file" in amalthea("render", "b.ipynb", at=tmp_path, expect=2).stderr


def test_standard_input_becomes_standard_output(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "amalthea", "render", "-", "--format", "script"]
    done = subprocess.run(argv, cwd=tmp_path, input=notebook("# Ada"), capture_output=True, timeout=60, check=True)
    assert done.stdout == b"# %% [markdown]\n# # Ada\n"
