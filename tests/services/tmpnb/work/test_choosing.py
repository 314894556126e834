from __future__ import annotations

import os
from pathlib import Path

from amalthea.model.units import ByteSize
from amalthea.services.tmpnb.work.bounds import Bounds
from amalthea.services.tmpnb.work.why import Why
from amalthea.store.memory import MemoryStore
from tests.services.tmpnb.work.directory import Directory
from tests.services.tmpnb.work.scenes import HeldClock, work_at


async def test_too_large_and_too_many_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    bounds = Bounds(file=ByteSize(1000), total=ByteSize(1500), files=4)
    work, home = work_at(MemoryStore(), HeldClock(), bounds=bounds), Directory(tmp_path)
    sizes = {"huge": 1001, "large": 1000, "middle": 600, "old": 100, "older": 100, "small": 1, "young": 100}
    home.fill({path: (b"x" * size, False) for path, size in sizes.items()})
    for age, path in enumerate(["young", "old", "older"]):
        os.utime(tmp_path / path, (1_000_000 - age, 1_000_000 - age))
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    assert [file.path for file in snapshot.files] == ["old", "older", "small", "young"]
    left_out = {line.path: line.why for line in snapshot.omitted}
    assert left_out == {"huge": Why.LARGE, "large": Why.ROOM, "middle": Why.ROOM}
    assert await work.snapshot("s", home) is None
    os.unlink(tmp_path / "older")
    os.unlink(tmp_path / "old")
    later = await work.snapshot("s", home)
    assert later is not None
    assert [file.path for file in later.files] == ["middle", "small", "young"]


async def test_caches_are_left_out_and_may_grow_in_silence(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path)
    caches = [".cache/pip/x", ".local/lib/x.py", ".local/share/jupyter/runtime/k.json", ".ipython/history.sqlite"]
    deep = ["p/__pycache__/m.pyc", "p/.ipynb_checkpoints/a-checkpoint.ipynb", "p/.venv/bin/python", ".npm/x"]
    kept = [".git/config", ".jupyter/lab/settings", "a.ipynb", "p/.cache/x", "p/.local/x", "p/m.py"]
    home.fill(dict.fromkeys([*caches, *deep, *kept], (b"x", False)))
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    assert [file.path for file in snapshot.files] == kept
    assert {line.path: line.files for line in snapshot.omitted} == {
        ".cache/": 1,
        ".ipython/": 1,
        ".local/": 2,
        ".npm/": 1,
        "p/.ipynb_checkpoints/": 1,
        "p/.venv/": 1,
        "p/__pycache__/": 1,
    }
    assert snapshot.missed == []
    (tmp_path / ".cache/more").write_bytes(b"y")
    assert await work.snapshot("s", home) is None


async def test_names_that_are_no_text_and_links_are_not_followed(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock()), Directory(tmp_path / "home")
    home.fill({"a": (b"1", False), "back\\slash": (b"2", False), "new\nline": (b"3", False)})
    os.mknod(os.fsencode(home.root) + b"/\xff")
    (home.root / "link").symlink_to("/etc/passwd")
    os.mkfifo(home.root / "fifo")
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    assert [file.path for file in snapshot.files] == ["a"]
    assert {line.path for line in snapshot.missed} == {"\\udcff", "back\\\\slash", "new\\nline"}
    assert {line.why for line in snapshot.missed} == {Why.NAME}
    assert await work.newest("s") == snapshot


async def test_very_many_omissions_are_few_lines(tmp_path: Path) -> None:
    work, home = work_at(MemoryStore(), HeldClock(), bounds=Bounds(files=1)), Directory(tmp_path)
    home.fill({f"{n:04}": (b"", False) for n in range(1000)})
    snapshot = await work.snapshot("s", home)
    assert snapshot is not None
    assert len(snapshot.omitted) == 201
    assert sum(line.files for line in snapshot.omitted) == 999
    assert await work.snapshot("s", home) is None
