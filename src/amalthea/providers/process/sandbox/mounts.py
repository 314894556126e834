"""The root file system of a session: what is installed, read-only, and a few small places in memory to write to.

Everything is opened before anything is covered, so that a directory may lie below one that strangers cannot pass
through: an interpreter below the home of root, say. Nothing of the machine's own `/etc` is shown but what programs
need to run; no file of it can be secret then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amalthea.providers.process.sandbox import calls

HOME = "/home/jovyan"
USER = "jovyan"
SYSTEM = ("usr", "lib", "lib32", "lib64", "libx32", "bin", "sbin", "opt")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
SETTINGS = (
    "R",
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "inputrc",
    "ipython",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "julia",
    "jupyter",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "magic",
    "mailcap",
    "matplotlibrc",
    "mime.types",
    "octave",
    "os-release",
    "pki",
    "profile",
    "profile.d",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "services",
    "shells",
    "skel",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "texmf",
    "timezone",
    "vim",
    "xml",
)
"""What of `/etc` a session sees, where it exists."""

_BASE = "/tmp"  # noqa: S108 -- any directory that exists everywhere: what it holds is covered in here alone
_TMPFS = calls.MS_NOSUID | calls.MS_NODEV
_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to show. `disk` is in bytes, `files` in inodes, both of the home and at least 1; none is no limit to tmpfs.

    `readable` are absolute directories.
    """

    uid: int
    gid: int
    disk: int
    files: int
    readable: Sequence[str] = ()


@dataclass(frozen=True)
class _Shown:
    """Something opened outside that is to stand at the same place inside; a link is made again."""

    place: str
    descriptor: int = -1
    link: str = ""
    directory: bool = True


def enter(plan: Plan) -> None:
    """In a mount and process namespace of its own: build the root, step into it, and let go of the old one.

    The calling process is the first one of its process namespace. Raises `OSError`.
    """
    calls.mount("none", "/", flags=calls.MS_REC | calls.MS_PRIVATE)
    shown = _open(plan.readable)
    calls.mount("root", _BASE, "tmpfs", _TMPFS, f"size={_MIB},nr_inodes=4096,mode=0755")
    os.chdir(_BASE)
    _devices()
    _writable(plan)
    _show(shown)  # after what can be written: an environment may lie below one of those places
    _name(plan)
    _interpreter_settings()
    calls.pivot_root(".", ".")
    calls.unmount(".", calls.MNT_DETACH)
    os.chdir("/")
    calls.mount("", "/", flags=calls.MS_REMOUNT | calls.MS_BIND | calls.MS_RDONLY | _TMPFS)
    os.chdir(HOME)


# What is installed.


def _open(readable: Sequence[str]) -> list[_Shown]:
    """Open all that will be shown, each directory once, those above before those below."""
    places = [*SYSTEM, *(f"etc/{name}" for name in SETTINGS)]
    covered = [f"/{name}/" for name in SYSTEM]
    for directory in sorted({os.path.normpath(path) for path in readable}):
        if directory != "/" and not f"{directory}/".startswith(tuple(covered)):
            places.append(directory.lstrip("/"))
            covered.append(f"{directory}/")
    return [found for place in places if (found := _opened(place)) is not None]


def _opened(place: str) -> _Shown | None:
    source = Path("/", place)
    if not source.exists():
        return None
    if source.is_symlink() and place.count("/") <= 1:
        return _Shown(place, link=str(source.readlink()))
    return _Shown(place, os.open(source, os.O_PATH | os.O_CLOEXEC), directory=source.is_dir())


def _show(shown: Sequence[_Shown]) -> None:
    for one in shown:
        Path(one.place).parent.mkdir(0o755, parents=True, exist_ok=True)
        if one.link:
            Path(one.place).symlink_to(one.link)
        else:
            _bind(one)


def _bind(one: _Shown) -> None:
    if one.directory:
        Path(one.place).mkdir(0o755, exist_ok=True)
    else:
        Path(one.place).touch()
    calls.mount(f"/proc/self/fd/{one.descriptor}", one.place, flags=calls.MS_BIND | calls.MS_REC)
    calls.protect(one.place)
    os.close(one.descriptor)  # it would lead back to the machine's own tree


def _name(plan: Plan) -> None:
    """The files that say who is who: this machine has one user, and knows no other."""
    Path("etc").mkdir(0o755, exist_ok=True)
    people = f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n{USER}:x:{plan.uid}:{plan.gid}::{HOME}:/bin/bash\n"
    Path("etc/passwd").write_text(people)
    Path("etc/group").write_text(f"root:x:0:\n{USER}:x:{plan.gid}:\n")
    Path("etc/hosts").write_text("127.0.0.1 localhost notebook\n")
    Path("etc/hostname").write_text("notebook\n")
    Path("etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")


def _interpreter_settings() -> None:
    """Let a virtual environment see packages that its user installs, which lie outside of it.

    `python -m venv` hides the user's own packages, and pip then refuses to install any; nothing else can be written.
    """
    settings = Path(sys.prefix.lstrip("/"), "pyvenv.cfg")
    if sys.prefix == sys.base_prefix or not settings.exists():
        return
    lines = [line for line in settings.read_text().splitlines() if "include-system-site-packages" not in line]
    own = Path("etc/pyvenv.cfg")
    own.write_text("\n".join([*lines, "include-system-site-packages = true", ""]))
    calls.mount(str(own), str(settings), flags=calls.MS_BIND)
    calls.protect(str(settings))


# What is its own.


def _devices() -> None:
    _tmpfs("dev", size=_MIB, mode="0755", flags=calls.MS_NOSUID | calls.MS_NOEXEC)
    for name in DEVICES:
        Path("dev", name).touch()
        calls.mount(f"/dev/{name}", f"dev/{name}", flags=calls.MS_BIND)
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        Path("dev", name).symlink_to(f"/proc/self/fd{target}")
    Path("dev/pts").mkdir()
    options = "newinstance,ptmxmode=0666,mode=0620"
    calls.mount("devpts", "dev/pts", "devpts", calls.MS_NOSUID | calls.MS_NOEXEC, options)
    Path("dev/ptmx").symlink_to("pts/ptmx")
    _tmpfs("dev/shm", size=64 * _MIB, mode="1777")
    # Where the machine's root is nobody, this directory belongs to the session's own user.
    calls.mount("", "dev", flags=calls.MS_REMOUNT | calls.MS_BIND | calls.MS_RDONLY | calls.MS_NOSUID | calls.MS_NOEXEC)
    Path("proc").mkdir()
    calls.mount("proc", "proc", "proc", calls.MS_NOSUID | calls.MS_NODEV | calls.MS_NOEXEC)


def _writable(plan: Plan) -> None:
    owner = f",uid={plan.uid},gid={plan.gid}"
    _tmpfs("tmp", size=256 * _MIB, mode="1777")
    _tmpfs("run", size=4 * _MIB, mode="0755" + owner)
    _tmpfs("var/tmp", size=64 * _MIB, mode="1777")
    _tmpfs(HOME.lstrip("/"), size=max(plan.disk, 1), mode="0700" + owner, files=max(plan.files, 1))


def _tmpfs(place: str, *, size: int, mode: str, files: int = 20_000, flags: int = _TMPFS) -> None:
    Path(place).mkdir(0o755, parents=True, exist_ok=True)
    calls.mount("tmpfs", place, "tmpfs", flags, f"size={size},nr_inodes={files},mode={mode}")
