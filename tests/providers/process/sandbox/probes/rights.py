"""Rights: to mount, to make namespaces and devices, to be somebody else."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .attempts import called, libc, worked

_FLAGS = (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_TIME = 0x80
_KINDS = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time")
_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine(), -1)
_PLACES = (os.environ.get("HOME", "/"), "/tmp", "/var/tmp", "/dev/shm", "/run")
_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr"}


def mounted() -> list[str]:
    """Which ways work to change what is mounted, or to stand elsewhere."""
    home, nothing, flags = os.environ["HOME"].encode(), None, ctypes.c_ulong
    attempts: dict[str, tuple[Any, ...]] = {
        "mount tmpfs": ("mount", b"none", home, b"tmpfs", flags(0), nothing),
        "mount proc": ("mount", b"none", home, b"proc", flags(0), nothing),
        "bind": ("mount", b"/usr", home, nothing, flags(4096), nothing),
        "remount /": ("mount", b"none", b"/", nothing, flags(32 | 4096), nothing),
        "remount /usr": ("mount", b"none", b"/usr", nothing, flags(32 | 4096), nothing),
        "unmount": ("umount2", b"/usr", 2),
        "chroot": ("chroot", home),
        "fsopen": ("fsopen", b"tmpfs", 0),
        "open_tree": ("open_tree", -100, b"/usr", 1),
        "move_mount": ("move_mount", -1, b"/usr", -1, home, 0),
        "mount_setattr": ("mount_setattr", -1, b"/usr", 0x8000, bytes(32), ctypes.c_size_t(32)),
        "swapon": ("swapon", home, 0),
    }
    return [name for name, words in attempts.items() if hasattr(libc, words[0]) and called(*words) == 0]


def namespaces_made() -> list[str]:
    """Which namespaces can be made or entered."""
    found = [f"unshare {flag:#x}" for flag in (*_FLAGS, _TIME) if called("unshare", flag) == 0]
    found += [f"clone {flag:#x}" for flag in _FLAGS if _cloned(flag)]
    for kind in _KINDS:
        file = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
        found += [f"setns {kind}"] * (called("setns", file, 0) == 0)
        os.close(file)
    return found


def _cloned(flag: int) -> bool:
    pid = int(libc.syscall(ctypes.c_long(_CLONE), ctypes.c_ulong(flag | 17), None, None, None, None))
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
    return pid > 0


def devices_made() -> list[str]:
    """Device nodes that can be made anywhere, and those in `/dev` that are not harmless."""
    kinds = {"disk": (stat.S_IFBLK | 0o666, os.makedev(8, 0)), "memory": (stat.S_IFCHR | 0o666, os.makedev(1, 1))}
    paths = {f"{place}/{name}": words for place in _PLACES for name, words in kinds.items()}
    made = [path for path, words in paths.items() if worked(os.mknod, path, *words)]
    return made + sorted(set(os.listdir("/dev")) - _DEVICES)


def raised() -> list[str]:
    """Set-user-id programs that start with other ids than this process has, and places where there could be some."""
    own = {str(os.getuid())}
    found = [path for path in _privileged_programs() if not _users(path) <= own]
    return found + [place for place in (*_PLACES, "/usr") if not os.statvfs(place).f_flag & os.ST_NOSUID]


def _privileged_programs() -> list[str]:
    found = []
    for directory in ("/usr/bin", "/usr/sbin"):
        with os.scandir(directory) as entries:
            found += [one.path for one in entries if one.is_file() and one.stat().st_mode & stat.S_ISUID]
    return found


def _users(program: str) -> set[str]:
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return set(Path(f"/proc/{child.pid}/status").read_text().split("Uid:")[1].split("\n")[0].split())
    finally:
        child.kill()
        child.communicate()


def gained() -> list[str]:
    """Ways that work to be somebody else, or to come before others."""
    attempts: dict[str, Callable[[], Any]] = {
        "setuid": lambda: os.setuid(0),
        "setgid": lambda: os.setgid(0),
        "setgroups": lambda: os.setgroups([0]),
        "chown": lambda: os.chown("/etc/passwd", os.getuid(), -1),
        "nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
        "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
        "be killed later": lambda: Path("/proc/self/oom_score_adj").write_text("-1000"),
        "host name": lambda: socket.sethostname("other"),
        "core files": lambda: _limit(resource.RLIMIT_CORE),
        "open files": lambda: _limit(resource.RLIMIT_NOFILE),
        "clock": lambda: _refused(called("settimeofday", bytes(16), None)),
    }
    return [name for name, attempt in attempts.items() if worked(attempt)]


def _limit(kind: int) -> None:
    try:
        resource.setrlimit(kind, (1 << 20, 1 << 20))
    except ValueError as error:
        raise PermissionError from error


def _refused(number: int) -> None:
    if number:
        raise OSError(number, "refused")
