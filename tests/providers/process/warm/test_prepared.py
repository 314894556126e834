"""What is worked out before the fork: templates that no server has to compile again."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from amalthea.providers.process.warm.prepared import TEMPLATES, Compiled, prepare

LAB = pytest.importorskip("jupyterlab.labapp", reason="sessions need amalthea[tmpnb]")


def known(cache: Compiled, file: Path) -> bool:
    """Whether a template needs not be compiled."""
    bucket = cache.get_bucket(Environment(), file.name, str(file), file.read_text())
    return bucket.code is not None


def shown(cache: Compiled, directory: Path) -> str:
    """A page, in an environment of its own, as each session has one."""
    return Environment(loader=FileSystemLoader(directory), bytecode_cache=cache).get_template("page.html").render()


def test_the_page_of_jupyterlab_is_compiled_before_any_server_asks_for_it() -> None:
    prepare()
    assert known(TEMPLATES, Path(LAB.LabApp().templates_dir, "index.html"))


def test_a_template_is_compiled_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    cache, page = Compiled(), tmp_path / "page.html"
    page.write_text("one")
    assert not known(cache, page)
    assert shown(cache, tmp_path) == "one"
    assert known(cache, page)
    page.write_text("two")
    assert not known(cache, page)
    assert shown(cache, tmp_path) == "two"


def test_a_copied_configuration_has_the_same_templates() -> None:
    assert deepcopy({"bytecode_cache": TEMPLATES})["bytecode_cache"] is TEMPLATES
