"""Building a site with the real JupyterLite, where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amalthea.services.tmpnb.lite import BuildFailed, PackageMissing, Site, build_site, ensure_site, lite_site
from amalthea.services.tmpnb.lite.__main__ import main
from amalthea.services.tmpnb.lite.assembly import CONFIGURATION, DATA
from amalthea.services.tmpnb.lite.parts import installed, missing_packages
from amalthea.services.tmpnb.lite.pins import pins
from amalthea.services.tmpnb.lite.site import ASIDE, MANIFEST
from tests.services.tmpnb.lite.making import site

pytestmark = pytest.mark.xdist_group("lite")

needed = pytest.mark.skipif(
    bool(missing_packages()), reason=f"not installed: {', '.join(missing_packages())} (the extra amalthea[lite])"
)


def quiet(line: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with JavaScript alone, which needs no network."""
    return build_site(tmp_path_factory.mktemp("lite"), say=quiet, python="never")


@pytest.mark.slow
@needed
def test_a_site_with_javascript_alone_is_built_from_what_is_installed(built: Site) -> None:
    assert built.kernels == ("javascript",)
    data = json.loads((built.tree / "plain" / CONFIGURATION).read_bytes())[DATA]
    assert [extension["name"] for extension in data["federated_extensions"]] == [
        "@jupyterlite/javascript-kernel-extension"
    ]
    welcome = json.loads((built.tree / "plain" / "files" / "welcome.ipynb").read_bytes())
    assert welcome["metadata"]["kernelspec"]["name"] == "javascript"
    assert not list((built.tree / "plain").rglob("*.map"))


@pytest.mark.slow
@needed
def test_two_builds_are_the_same_and_a_site_that_is_good_is_not_built_again(built: Site, tmp_path: Path) -> None:
    said: list[str] = []
    again = build_site(tmp_path, say=said.append, python="never")
    assert again.manifest == built.manifest
    assert said[0] == "JavaScript only, no Python: not asked for"
    lines = len(said)
    assert ensure_site(tmp_path, say=said.append, python="never") == again
    assert len(said) == lines


@pytest.mark.slow
@needed
def test_a_site_of_other_parts_is_built_anew_and_what_a_killed_build_left_is_gone(tmp_path: Path) -> None:
    before = site(tmp_path, {"a.txt": "old"})
    (tmp_path / f"{ASIDE}killed" / "lite").mkdir(parents=True)
    after = ensure_site(tmp_path, say=quiet, python="never")
    assert lite_site(tmp_path) == after != before
    assert not list(tmp_path.glob(f"{ASIDE}*"))


def asked(directory: Path, *options: str, npm: str = "") -> subprocess.CompletedProcess[str]:
    """The command where nothing is installed but a program `npm` that does this."""
    programs = directory / "programs"
    programs.mkdir()
    if npm:
        (programs / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (programs / "npm").chmod(0o755)
    command = [sys.executable, "-m", "amalthea.services.tmpnb.lite", str(directory / "site"), *options]
    environment = {**os.environ, "PATH": str(programs)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@needed
@pytest.mark.skipif(Path(sys.executable).with_name("npm").is_file(), reason="npm is beside this Python")
def test_without_npm_and_without_the_archives_it_says_why_there_can_be_no_python(tmp_path: Path) -> None:
    done = asked(tmp_path, "--python", "required")
    assert done.returncode == 1
    assert "the Python kernel cannot be built: npm is not installed, and pyodide-" in done.stderr
    assert lite_site(tmp_path / "site") is None


@needed
def test_an_archive_that_is_not_the_one_pinned_is_not_used(tmp_path: Path) -> None:
    file = pins().core.file
    done = asked(tmp_path, "--python", "required", npm=f"echo broken > {file}")
    assert done.returncode == 1
    assert f"{file}: not the file that this version of amalthea knows" in done.stdout
    assert lite_site(tmp_path / "site") is None


@pytest.mark.slow
@needed
def test_where_npm_fails_javascript_is_alone_and_the_site_says_why(tmp_path: Path) -> None:
    done = asked(tmp_path, npm="echo no network >&2; exit 1")
    assert done.returncode == 0, done.stderr
    assert "no network" in done.stdout
    made = lite_site(tmp_path / "site")
    assert made is not None
    assert made.kernels == ("javascript",)
    assert "it failed with code 1" in made.manifest.without
    assert "JavaScript (no Python: " in done.stdout


@pytest.mark.skipif(not missing_packages(), reason="everything is installed")
def test_without_jupyterlite_it_says_what_is_missing_and_how_to_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PackageMissing, match=r"not installed: .*jupyterlite-core"):
        installed()
    assert main([str(tmp_path)]) == 2
    assert "pip install 'amalthea[lite]'" in capsys.readouterr().err


@pytest.mark.skipif(not missing_packages(), reason="everything is installed")
def test_without_jupyterlite_a_site_that_is_there_is_good_as_it_is(tmp_path: Path) -> None:
    made = site(tmp_path, {"a.txt": "from elsewhere"})
    assert ensure_site(tmp_path, say=quiet) == made


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildFailed, match=r"file: not a directory to write to"):
        build_site(tmp_path / "file", say=quiet)
    assert not (tmp_path / MANIFEST).exists()
