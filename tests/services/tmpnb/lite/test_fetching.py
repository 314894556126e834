"""Archives for the Python kernel: only those that are pinned, and from disk where they are there."""

from __future__ import annotations

import hashlib
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from amalthea.services.tmpnb.lite.errors import BuildFailed
from amalthea.services.tmpnb.lite.fetching import fetch, obstacle, run
from amalthea.services.tmpnb.lite.pins import Core, Pins, Wheel
from tests.services.tmpnb.lite.making import written

BODY = b"an archive"
INTEGRITY = f"sha512-{b64encode(hashlib.sha512(BODY).digest()).decode()}"
CORE = Core(package="no-such-package-of-ours", version="1.0", integrity=INTEGRITY, files=())
WHEEL = Wheel(name="goat", version="1.0", file="goat.whl", sha256=hashlib.sha256(BODY).hexdigest())
PINS = Pins(python="3.14", core=CORE, wheels=(WHEEL,))


def test_archives_that_are_there_are_enough(tmp_path: Path) -> None:
    written(tmp_path, {CORE.file: BODY, WHEEL.file: BODY})
    assert obstacle(PINS, tmp_path) == ""
    fetch(PINS, tmp_path)
    assert (tmp_path / CORE.file).read_bytes() == BODY


def test_a_program_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such goat')"]
    with pytest.raises(BuildFailed, match=r"it failed with code 1:\n  no such goat"):
        run(command, cwd=tmp_path, env={})
