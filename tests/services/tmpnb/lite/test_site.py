"""What lies in a site's directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amalthea.services.tmpnb.lite.site import MANIFEST, lite_site
from tests.services.tmpnb.lite.making import PAGE, site


def test_where_nothing_was_built_there_is_no_site(tmp_path: Path) -> None:
    assert lite_site(tmp_path) is None
    assert lite_site(tmp_path / "nowhere") is None


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"format": 1}'])
def test_a_broken_manifest_is_no_site(body: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(body)
    assert lite_site(tmp_path) is None


def test_a_site_of_another_format_is_no_site(tmp_path: Path) -> None:
    site(tmp_path, {"a.txt": "hello"})
    known = json.loads((tmp_path / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_text(json.dumps(known | {"format": 0}))
    assert lite_site(tmp_path) is None


def test_a_published_site_is_found_again_with_what_is_known_of_it(tmp_path: Path) -> None:
    made = site(tmp_path, {"lab/index.html": PAGE, "a.txt": "hello " * 1000})
    assert lite_site(tmp_path) == made
    assert made.kernels == ("javascript",)
    assert made.size == len(PAGE) + 6000
    assert made.packed_size < made.size
    assert made.summary().startswith(f"JupyterLite {made.version}, JavaScript (no Python: it is a test), 2 files")


def test_the_version_is_that_of_the_files(tmp_path: Path) -> None:
    one, same, other = (site(tmp_path / name, {"a.txt": body}) for name, body in [("1", "a"), ("2", "a"), ("3", "b")])
    assert one.version == same.version != other.version


def test_those_who_serve_the_site_before_keep_it_until_the_next_one(tmp_path: Path) -> None:
    first, second = site(tmp_path, {"a.txt": "1"}), site(tmp_path, {"a.txt": "2"})
    assert (first.tree / "plain" / "a.txt").read_text() == "1"
    third = site(tmp_path, {"a.txt": "3"})
    assert not first.tree.exists()
    assert second.tree.exists()
    assert lite_site(tmp_path) == third


def test_the_same_site_built_again_mends_what_is_missing(tmp_path: Path) -> None:
    first = site(tmp_path, {"a.txt": "1"})
    (first.tree / "plain" / "a.txt").unlink()
    assert site(tmp_path, {"a.txt": "1"}) == first
    assert (first.tree / "plain" / "a.txt").read_text() == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.tree.name, MANIFEST]
