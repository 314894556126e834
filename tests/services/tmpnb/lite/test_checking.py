"""A site that would ask a third party for anything is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amalthea.services.tmpnb.lite.assembly import CONFIGURATION, DATA
from amalthea.services.tmpnb.lite.checking import Scripts, check_site, is_elsewhere
from amalthea.services.tmpnb.lite.errors import SiteRefused
from amalthea.services.tmpnb.lite.lock import LOCK
from tests.services.tmpnb.lite.making import KERNEL, PYODIDE, configuration, lock, python_site, written

CDN = "https://cdn.example/pyodide/"


def refusal(root: Path, *, python: bool = True) -> str:
    with pytest.raises(SiteRefused) as raised:
        check_site(root, python=python)
    return str(raised.value)


def test_a_site_that_works_alone_passes(tmp_path: Path) -> None:
    check_site(python_site(tmp_path), python=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pyodideUrl": f"{CDN}pyodide.mjs"}, f"pyodideUrl is {CDN}pyodide.mjs"),
        ({"pyodideUrl": "//cdn.example/pyodide.mjs"}, "pyodideUrl is //cdn.example"),
        ({"pyodideUrl": "./static/elsewhere/pyodide.mjs"}, "pyodideUrl is ./static/elsewhere"),
        ({"pyodideUrl": "../../pyodide.mjs"}, "pyodideUrl is ../../"),
        ({"pyodideUrl": None}, "pyodideUrl is not set"),
        ({"disablePyPIFallback": False}, "disablePyPIFallback is not true"),
        ({"disablePyPIFallback": None}, "disablePyPIFallback is not true"),
        ({"pipliteUrls": [f"{CDN}all.json"]}, f"{CDN}all.json is not there"),
        ({"loadPyodideOptions": {"lockFileURL": f"{CDN}lock.json"}}, "lockFileURL is https://cdn.example"),
    ],
)
def test_settings_that_lead_away_are_refused(settings: dict[str, object], said: str, tmp_path: Path) -> None:
    assert said in refusal(python_site(tmp_path, **{CONFIGURATION: configuration(**settings)}))


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("lab/index.html", "<script src='https://cdn.example/a.js'></script>", "loads https://cdn.example/a.js"),
        ("repl/index.html", "<link rel=stylesheet href=//cdn.example/a.css>", "loads //cdn.example/a.css"),
        ("repl/index.html", "<script>import('https://cdn.example/a.js')</script>", "cdn.example/a.js"),
        ("build/a.css", "@import 'https://fonts.example/a.css';", "fonts.example"),
        ("build/a.css", "p { background: url(//fonts.example/a.woff) }", "fonts.example"),
        ("lab/jupyter-lite.json", json.dumps({DATA: {"a": [{"b": "wss://a.example"}]}}), "a[0].b is wss://a.example"),
        (f"{PYODIDE}/{LOCK}", lock(jedi={"file_name": f"{CDN}jedi.whl"}), "jedi is not the file"),
        (f"{PYODIDE}/{LOCK}", lock(jedi={"sha256": "0"}), "jedi is not the file any.whl"),
        (f"{PYODIDE}/{LOCK}", lock(jedi={"depends": ["parso"]}), "parso (for jedi)"),
        (f"{KERNEL}/all.json", json.dumps({"a": {"releases": {"1": [{"url": f"{CDN}a.whl"}]}}}), "a is at https://cdn"),
    ],
)
def test_files_that_lead_away_are_refused(name: str, body: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(python_site(tmp_path, **{name: body}))


def test_a_lock_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    (python_site(tmp_path) / PYODIDE / LOCK).unlink()
    assert f"{LOCK} is not there" in refusal(tmp_path)


def test_an_extension_of_python_in_a_site_without_python_is_refused_for_it_would_load_python_elsewhere(
    tmp_path: Path,
) -> None:
    assert "is there" in refusal(python_site(tmp_path), python=False)


def test_a_site_without_python_needs_none_of_its_settings(tmp_path: Path) -> None:
    root = written(tmp_path, {CONFIGURATION: json.dumps({DATA: {"federated_extensions": []}})})
    check_site(root, python=False)
    assert "is not there" in refusal(root, python=True)


@pytest.mark.parametrize("address", ["https://a.example", "//a.example", " http://a.example", "wss://a.example"])
def test_an_address_of_another_host_is_known_as_one(address: str) -> None:
    assert is_elsewhere(address)


@pytest.mark.parametrize("address", ["./a", "../a", "/a", "a//b", "", "data:text/plain,a", "a: //b"])
def test_an_address_of_our_own_is_known_as_one(address: str) -> None:
    assert not is_elsewhere(address)


def test_scripts_that_run_are_told_from_data_and_from_files() -> None:
    page = Scripts(
        "<script>a < b && c</script><script type=module>d</script><script type=text/x>e</script><script src=f>"
    )
    assert (page.scripts, page.addresses) == (["a < b && c", "d"], ["f"])
