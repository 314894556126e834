"""Look through a built site for whatever would make a visitor's browser ask a third party for something.

The policy that the server sends forbids it as well; but then something would be missing, and the visitor would be the
one to find out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amalthea.services.tmpnb.lite.assembly import CONFIGURATION, DATA, PLUGIN
from amalthea.services.tmpnb.lite.errors import BuildFailed, SiteRefused
from amalthea.services.tmpnb.lite.fetching import sha256
from amalthea.services.tmpnb.lite.lock import LOCK, check_closed

_ELSEWHERE = re.compile(r"\s*([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*(?:https?:)?//[^"')\s]+""", re.IGNORECASE)
_IN_SCRIPT = re.compile(r"""["'`](?:https?:)?//[^"'`]+""", re.IGNORECASE)
_LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
_KERNEL = PLUGIN.partition(":")[0]


def check_site(root: Path, *, python: bool) -> None:
    """Raise `SiteRefused` with everything that is wrong with the site in `root`."""
    findings = [*_in_configurations(root), *_in_pages(root), *_in_styles(root), *_in_kernel(root, python=python)]
    if findings:
        shown = "\n  ".join(findings[:20])
        raise SiteRefused(f"this site would not work alone:\n  {shown}", where="JupyterLite")


def is_elsewhere(address: str) -> bool:
    """Whether an address leads to another host than the page's own."""
    return _ELSEWHERE.match(address) is not None


def _in_configurations(root: Path) -> Iterator[str]:
    """Every text in every configuration that is the address of another host."""
    for path in sorted((*root.rglob(CONFIGURATION), *root.rglob("jupyter-lite.ipynb"))):
        whole = json.loads(path.read_bytes())
        data = whole.get("metadata", {}).get("jupyter-lite", {}) if path.suffix == ".ipynb" else whole
        for where, text in _texts(data.get(DATA, {}), ""):
            if is_elsewhere(text):
                yield f"{path.relative_to(root)}: {where} is {text}"


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where.lstrip("."), value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{index}]")


class Scripts(HTMLParser):
    """The scripts that stand in a page, and the addresses that it loads by itself."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self.addresses: list[str] = []
        self._inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it loads, and whether it is a script that runs."""
        known = dict(attrs)
        if address := known.get(_LOADING.get(tag, "")):
            self.addresses.append(address)
        self._inside = tag == "script" and "src" not in known and known.get("type") in (None, "module")
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        """The end of a script."""
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        """A piece of a script."""
        if self._inside:
            self.scripts[-1] += data


def _in_pages(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*.html")):
        page = Scripts(path.read_text())
        found = [address for address in page.addresses if is_elsewhere(address)]
        found += [match[0] for script in page.scripts for match in _IN_SCRIPT.finditer(script)]
        yield from (f"{path.relative_to(root)}: loads {address}" for address in found)


def _in_styles(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*.css")):
        for match in _IN_STYLE.finditer(path.read_text(errors="replace")):
            yield f"{path.relative_to(root)}: {match[0]}"


def _in_kernel(root: Path, *, python: bool) -> Iterator[str]:
    """What keeps Python at home: its address, its packages, and that it asks no index."""
    data = json.loads((root / CONFIGURATION).read_bytes())[DATA]
    extended = any(extension["name"] == _KERNEL for extension in data.get("federated_extensions", []))
    if extended != python:
        yield f"{CONFIGURATION}: the extension {_KERNEL} is {'there' if extended else 'not there'}"
    if not extended:
        return
    settings = data.get("litePluginSettings", {}).get(PLUGIN, {})
    if settings.get("disablePyPIFallback") is not True:
        yield f"{CONFIGURATION}: disablePyPIFallback is not true"
    for url in settings.get("pipliteUrls", []):
        yield from _in_index(root, url)
    url = settings.get("pyodideUrl", "")
    if not _file(root, url):
        yield f"{CONFIGURATION}: pyodideUrl is {url or 'not set'}"
    else:
        yield from _in_lock((root / url).parent, root)


def _in_index(root: Path, url: str) -> Iterator[str]:
    path = _file(root, url)
    if path is None:
        yield f"{CONFIGURATION}: {url} is not there"
        return
    for name, known in json.loads(path.read_bytes()).items():
        for release in (file for files in known["releases"].values() for file in files):
            if _file(path.parent, release["url"]) is None:
                yield f"{path.relative_to(root)}: {name} is at {release['url']}"


def _in_lock(place: Path, root: Path) -> Iterator[str]:
    where = (place / LOCK).relative_to(root)
    if not (place / LOCK).is_file():
        yield f"{where} is not there"
        return
    known = json.loads((place / LOCK).read_bytes())["packages"]
    for name, entry in known.items():
        path = _file(place, entry["file_name"])
        if path is None or sha256(path.read_bytes()) != entry["sha256"]:
            yield f"{where}: {name} is not the file {entry['file_name']}"
    try:
        check_closed({name: entry["depends"] for name, entry in known.items()})
    except BuildFailed as error:
        yield f"{where}: {error.message}"


def _file(root: Path, address: str) -> Path | None:
    """The file below `root` that a relative address leads to."""
    parts = urlsplit(address)
    path = (root / parts.path).resolve()
    is_here = not parts.scheme and not parts.netloc and path.is_relative_to(root.resolve())
    return path if is_here and path.is_file() else None
