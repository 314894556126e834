"""The hosts of the package indexes that pip is set up to use, as pip itself has it.

So a university's own index is reached without being named twice, and where nothing is set up it is the public one.
"""

from __future__ import annotations

import logging
import subprocess
import sys

import msgspec

log = logging.getLogger(__name__)

_SECONDS = 30.0
_ASK = """
import ast, json, subprocess, sys
from urllib.parse import urlsplit
said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
urls, replaced = [], False
for line in said.splitlines():
    key, _, value = line.partition("=")
    name = key.rpartition(".")[2]
    if name in ("index-url", "extra-index-url"):
        urls += str(ast.literal_eval(value)).split()
        replaced = replaced or name == "index-url"
hosts = [urlsplit(url).hostname for url in urls]
if not replaced:
    from pip._internal.models.index import PyPI
    hosts += [PyPI.netloc, PyPI.file_storage_domain]
print(json.dumps(list(dict.fromkeys(filter(None, hosts)))))
"""


def index_hosts(python: str = "") -> tuple[str, ...]:
    """What the pip of an interpreter would ask; none, and a line in the log, where there is no pip."""
    command = [python or sys.executable, "-c", _ASK]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
        return tuple(msgspec.json.decode(done.stdout, type=list[str]))
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        log.warning("pip does not say which package index it uses, so sessions reach none: %s", error)
        return ()
