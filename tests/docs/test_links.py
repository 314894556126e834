"""Links lead somewhere, and nothing in the tree points to one particular machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.docs.reading import DOCS, ROOT, links, pages


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_an_internal_link_leads_to_a_file(path: Path) -> None:
    for link in links(path):
        if not link.startswith(("http:", "https:", "#")):
            assert (path.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("directory", [p for p in DOCS.iterdir() if p.is_dir() and not p.name.startswith("_")])
def test_every_page_is_in_the_contents_of_its_part(directory: Path) -> None:
    contents = (directory / "index.md").read_text().splitlines()
    for path in directory.glob("*.md"):
        assert path.stem == "index" or path.stem in contents or len(list(directory.glob("*.md"))) == 1


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_code_block_begins_and_ends_on_a_line_of_its_own(path: Path) -> None:
    fences = [line for line in path.read_text().splitlines() if "```" in line]
    assert all(line.startswith("```") for line in fences)
    assert len(fences) % 2 == 0


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is not a clone: git cannot list its files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_names_a_directory_of_this_machine() -> None:
    own = {str(path) for path in (ROOT, Path.home()) if len(path.parts) > 2}
    for path in tracked():
        if path.is_file():
            found = [place for place in own if place.encode() in path.read_bytes()]
            assert not found, f"{path} names {found}"


def test_pictures_are_small() -> None:
    for path in (DOCS / "_static").iterdir():
        assert path.stat().st_size < 200_000, path
