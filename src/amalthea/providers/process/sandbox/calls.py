"""The system calls that the standard library lacks, by libc. Each raises `OSError` when the kernel refuses.

The numbers are those of the kernel's own headers, the same on every architecture of 64 bits that Linux knows.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NOSUID = 2
_MOUNT_ATTR_NODEV = 4
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, *about: object) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), *about)
    return result


def unshare(flags: int) -> None:
    """Give the calling thread namespaces of its own."""
    _checked(_libc.unshare(ctypes.c_int(flags)))


def setns(descriptor: int, kind: int) -> None:
    """Move the calling thread into the namespace that the descriptor stands for."""
    _checked(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system; `source` is what `MS_BIND` shows again at `target`."""
    words = (source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode() or None)
    _checked(_libc.mount(*words), target)


def unmount(target: str, flags: int = 0) -> None:
    """Take a file system away."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(flags)), target)


def protect(target: str) -> None:
    """Make the mount at `target` and all below it read-only, without set-user-id programs and without devices."""
    wanted = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, 0, 0, 0)
    words = (ctypes.c_int(_AT_FDCWD), target.encode(), ctypes.c_uint(_AT_RECURSIVE), wanted, ctypes.c_size_t(32))
    _checked(_libc.syscall(ctypes.c_long(_MOUNT_SETATTR), *words), target)


def pivot_root(new: str, old: str) -> None:
    """Make the mount at `new` the root, and what was the root a mount at `old` below it."""
    _checked(_libc.pivot_root(new.encode(), old.encode()), new)


def prctl(option: int, value: int = 0) -> None:
    """Change something about the calling process."""
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))


def sethostname(name: str) -> None:
    """What this UTS namespace calls itself."""
    _checked(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name.encode()))))


def bound_capabilities() -> None:
    """Let no program ever bring one back. Without the right to say so, nothing happens."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # no capability has this number, or the set is not ours to change
            break


def drop_capabilities() -> None:
    """Hold none, in no set, and never get one back: not even as root of a user namespace."""
    bound_capabilities()
    header = struct.pack("=II", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, bytes(24)))


def raise_loopback() -> None:
    """Switch on the loopback interface of the network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(asker, _SIOCGIFFLAGS, asked))
        fcntl.ioctl(asker, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
