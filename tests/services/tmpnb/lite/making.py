"""Small sites that are made like large ones."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amalthea.services.tmpnb.lite.assembly import CONFIGURATION, DATA, PLUGIN
from amalthea.services.tmpnb.lite.lock import AT_START, LOCK
from amalthea.services.tmpnb.lite.packing import packed
from amalthea.services.tmpnb.lite.site import Site, published

PAGE = "<!DOCTYPE html><script>let a = 1;</script><script type='application/json'>{}</script><p>hello</p>"
PYODIDE = "static/pyodide-0123456789ab"
KERNEL = "extensions/@jupyterlite/pyodide-kernel-extension/static/pypi"


def written(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files in a directory."""
    for name, body in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)
    return root


def site(directory: Path, files: Mapping[str, bytes | str]) -> Site:
    """A published site of these files."""
    tree = directory / "tree"
    written(tree / "plain", files)
    return published(directory, tree, packed(tree, recipe="by hand", packages={}, without="it is a test"))


def wheel(name: str, *needs: str, version: str = "1.0", body: str = "x = 1\n" * 500) -> bytes:
    """A wheel that needs others."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(f"{name}/__init__.py", body)
        about = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
        opened.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(["Metadata-Version: 2.1", *about]) + "\n\n")
    return made.getvalue()


def configuration(**settings: Any) -> str:
    """The configuration of a site with Python; `settings` are the kernel's."""
    known = {
        "pyodideUrl": f"./{PYODIDE}/pyodide.mjs",
        "disablePyPIFallback": True,
        "pipliteUrls": [f"./{KERNEL}/all.json?sha256=1"],
    }
    kept = {name: value for name, value in (known | settings).items() if value is not None}
    extension = {"name": PLUGIN.partition(":")[0], "load": "static/remoteEntry.js"}
    data = {"appUrl": "./lab", "federated_extensions": [extension], "litePluginSettings": {PLUGIN: kept}}
    return json.dumps({DATA: data})


def lock(**changes: dict[str, Any]) -> str:
    """A lock of the packages that the kernel starts with, all of one file; `changes` are by package."""
    body = hashlib.sha256(b"wheel").hexdigest()
    known: dict[str, Any] = {"file_name": "any.whl", "sha256": body, "depends": []}
    entries = {name: known | changes.get(name, {}) for name in AT_START}
    return json.dumps({"packages": entries})


def python_site(root: Path, **files: str) -> Path:
    """A site with Python that would work alone; `files` are put over its own."""
    index = {"piplite": {"releases": {"1.0": [{"url": "./piplite.whl", "filename": "piplite.whl"}]}}}
    own = {
        CONFIGURATION: configuration(),
        "lab/index.html": PAGE,
        "lab/jupyter-lite.ipynb": json.dumps(
            {"metadata": {"jupyter-lite": {DATA: {}}}, "cells": ["https://a.example"]}
        ),
        "build/style.css": "p { background: url(data:image/png;base64,) } q { background: url(own.png) }",
        f"{PYODIDE}/pyodide.mjs": "",
        f"{PYODIDE}/{LOCK}": lock(),
        f"{PYODIDE}/any.whl": "wheel",
        f"{KERNEL}/all.json": json.dumps(index),
        f"{KERNEL}/piplite.whl": "",
    }
    return written(root, own | files)
