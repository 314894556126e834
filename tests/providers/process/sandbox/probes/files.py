"""Files: those of others, those of the machine, and switches of the kernel that look like files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .attempts import read, worked, write

_TOPS = ("/..", "/proc/1/root", "/proc/1/cwd", "/proc/self/root/..", "/proc/self/cwd/../../..")
_LONG = {"mem", "kmsg", "kcore", "pagemap", "clear_refs"}
_ELSEWHERE = {"task", "map_files", "fd", "fdinfo", "ns", "sys", "root", "cwd"}


def named(marker: str) -> list[str]:
    """Files and directories with this in their name: in what is seen, and behind every way up or around."""
    others = [top for top in _TOPS if not _is_root(top)]
    paths = [path for top in ("/", *others) for path in _everything(top)]
    paths += [path for name in os.listdir("/proc/self/fd") for path in _listed(f"/proc/self/fd/{name}/..")]
    return [path for path in paths if marker in path]


def _is_root(path: str) -> bool:
    try:
        return os.path.samefile(path, "/")
    except OSError:
        return True  # it leads nowhere


def _everything(top: str) -> Iterator[str]:
    installed = {"/proc", "/usr", "/opt", sys.prefix, sys.base_prefix}
    for directory, below, files in os.walk(top):
        below[:] = [name for name in below if os.path.join(directory, name) not in installed]
        yield from (os.path.join(directory, name) for name in (*below, *files))


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def mentioned(needles: Sequence[str]) -> list[str]:
    """Files of `/proc` that hold one of these; they are given in hex, not to be found where they are asked for."""
    wanted = [bytes.fromhex(one) for one in needles]
    found = []
    for directory, below, files in os.walk("/proc"):
        below[:] = [name for name in below if name not in _ELSEWHERE]
        for path in (f"{directory}/{name}" for name in files if name not in _LONG):
            body = _body(path)
            found += [path] * any(one in body for one in wanted)
    return found


def _body(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        return os.read(file, 1 << 20)
    except OSError:
        return b""
    finally:
        os.close(file)


def writable() -> list[str]:
    """Every directory in which something can be made, and every mounted file that can be written."""
    points = [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    directories = {"/", *_directories("/"), *(point for point in points if os.path.isdir(point))}
    files = [point for point in points if not os.path.isdir(point)]
    return sorted([*filter(_takes, directories), *(path for path in files if worked(write, path))])


def _directories(top: str) -> Iterator[str]:
    for directory, below, _ in os.walk(top):
        if directory == "/":
            below.remove("proc")
        yield from (os.path.join(directory, name) for name in below)


def _takes(directory: str) -> bool:
    probe = os.path.join(directory, f"probe.{os.getpid()}")
    if not os.access(directory, os.W_OK) or not worked(_make, probe):
        return False
    os.unlink(probe)
    return True


def _make(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def switches() -> list[str]:
    """Files of `/proc` and `/sys` that rule the machine and take what they hold already, or show it and can be read."""
    found = []
    for top in ("/proc/sys", "/proc/irq", "/proc/acpi", "/proc/bus", "/proc/fs", "/proc/scsi", "/proc/driver", "/sys"):
        for directory, _, files in os.walk(top):
            found += [f"{directory}/{name}" for name in files if worked(_set, f"{directory}/{name}")]
    found += [name for name in ("sysrq-trigger", "mtrr", "timer_list", "slabinfo") if worked(write, f"/proc/{name}")]
    return found + [name for name in ("kcore", "kmsg", "kpagecount", "slabinfo") if worked(read, f"/proc/{name}")]


def _set(path: str) -> None:
    """Some say only when they are written that they may not be."""
    write(path)
    with open(path, "r+b", buffering=0) as file:
        body = file.read(4096)
        file.seek(0)
        file.write(body)
