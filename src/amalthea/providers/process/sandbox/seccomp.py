"""Which system calls a session is refused: a filter that the kernel runs before each call of it and all its children.

It is a list of what is denied. Notebooks run anything that people install, so everything ordinary has to work, as have
debuggers: `ptrace` and its like reach no further than the session's own processes, which the other walls see to. Denied
is what administers the machine, what makes namespaces and mounts, what has too often been a way out of a sandbox
(`bpf`, `io_uring`, `userfaultfd`, `keyctl`, rare families of sockets), and every call younger than this list.

A program that asks whether the kernel has a thing gets ENOSYS, and does without; one that may not gets EPERM. `clone3`
is said not to exist, as a filter cannot look at what its argument points to: libraries then use `clone`, which says.
The numbers are those of the kernel's headers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_GET_ACTION_AVAILABLE = 2
_ALL_THREADS = 1

_LAYOUT = struct.Struct("<HBBI")
_SIZE = _LAYOUT.size

KILL = 0x80000000
ALLOW = 0x7FFF0000
_ERRNO = 0x00050000

_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06

_NAMESPACES = 0x7E020000
_TIME_NAMESPACE = 0x80
_UNIX, _INET, _INET6, _NETLINK, _NETLINK_ROUTE = 1, 2, 10, 16, 0
_PROTOCOLS = (0, 1, 6, 17, 58)
"""What fits the kind of socket, ICMP, TCP, UDP, ICMPv6."""

_DEVICE_KINDS = (0o020000, 0o060000)
_KIND = 0o170000
_PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF)
"""Native, 32 bits, an old version's name, addresses that do not move (for debuggers), and the question which it is."""

_DENIED_COMMANDS = (0x5412, 0x541C, 0x5423, 0x401C5820)
"""TIOCSTI and TIOCLINUX type into a terminal, TIOCSETD loads line disciplines; the last leaves a disk quota."""

_NEWEST = 468
"""A call with a greater number is not known here: `file_setattr` and what came after it."""


class Machine:
    """One architecture: how the kernel names it, and its number for each call (None where it has none)."""

    def __init__(self, *, word: int, column: int, seccomp: int) -> None:
        self.word = word
        self.seccomp = seccomp
        self._column = column

    def number(self, call: str) -> int | None:
        """The call's number."""
        return _NUMBERS[call][self._column]


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(word=0xC000003E, column=0, seccomp=317),
    "aarch64": Machine(word=0xC00000B7, column=1, seccomp=277),
}

_NUMBERS: Mapping[str, tuple[int | None, int | None]] = {
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
}

_ABSENT = frozenset(
    (
        "_sysctl",
        "clone3",
        "create_module",
        "fsconfig",
        "fsmount",
        "fsopen",
        "fspick",
        "get_kernel_syms",
        "io_uring_enter",
        "io_uring_register",
        "io_uring_setup",
        "lookup_dcookie",
        "mount_setattr",
        "move_mount",
        "nfsservctl",
        "open_tree",
        "open_tree_attr",
        "query_module",
        "sysfs",
        "uselib",
        "userfaultfd",
        "ustat",
    )
)

Instruction = tuple[int, int, int, int]
"""Code, how far to jump when true, when false, and the constant."""


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _argument(number: int) -> Instruction:
    """The low half: what is looked at here is an `int` to the kernel, which ignores the other one."""
    return _load(_ARGUMENTS + 8 * number)


def _give(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _fail(number: int) -> Instruction:
    return _give(_ERRNO | number)


def _when(values: Sequence[int], verdict: Instruction, *, code: int = _EQUAL) -> Iterator[Instruction]:
    """The verdict, where what was loaded compares with one of the values."""
    for value in values:
        yield (code, 0, 1, value)
        yield verdict


def _flags(forbidden: int) -> list[Instruction]:
    return [_argument(0), *_when([forbidden], _fail(errno.EPERM), code=_ANY_BIT), _give(ALLOW)]


def _personality() -> list[Instruction]:
    return [_argument(0), *_when(_PERSONALITIES, _give(ALLOW)), _fail(errno.EPERM)]


def _commands() -> list[Instruction]:
    return [_argument(1), *_when(_DENIED_COMMANDS, _fail(errno.EPERM)), _give(ALLOW)]


def _nodes(mode: int) -> list[Instruction]:
    """Pipes and files may be made, devices not."""
    return [_argument(mode), (_AND, 0, 0, _KIND), *_when(_DEVICE_KINDS, _fail(errno.EPERM)), _give(ALLOW)]


def _families() -> list[Instruction]:
    """Of the kernel's own sockets only the one that lists interfaces and addresses; of the network, what all use."""
    netlink = [
        _argument(2),
        *_when((_NETLINK_ROUTE,), _give(ALLOW)),
        _fail(errno.EAFNOSUPPORT),
    ]
    internet = [_argument(2), *_when(_PROTOCOLS, _give(ALLOW)), _fail(errno.EPROTONOSUPPORT)]
    return [
        _argument(0),
        *_when((_UNIX,), _give(ALLOW)),
        (_EQUAL, len(netlink) + 3, 0, _INET),
        (_EQUAL, len(netlink) + 2, 0, _INET6),
        (_EQUAL, 1, 0, _NETLINK),
        _fail(errno.EAFNOSUPPORT),
        *netlink,
        *internet,
    ]


_CHECKS: Mapping[str, Sequence[Instruction]] = {
    "clone": _flags(_NAMESPACES),
    "unshare": _flags(_NAMESPACES | _TIME_NAMESPACE),
    "personality": _personality(),
    "ioctl": _commands(),
    "mknod": _nodes(1),
    "mknodat": _nodes(2),
    "socket": _families(),
    "socketpair": _families(),
}


def _rule(call: str) -> Sequence[Instruction]:
    """What decides about a call, to its end."""
    return _CHECKS.get(call) or [_fail(errno.ENOSYS if call in _ABSENT else errno.EPERM)]


def _instructions(machine: Machine) -> Iterator[Instruction]:
    yield _load(_ARCHITECTURE)
    yield (_EQUAL, 1, 0, machine.word)
    yield _give(KILL)
    yield _load(_NUMBER)
    yield from _when([_NEWEST], _fail(errno.ENOSYS), code=_GREATER)  # among them all of x32
    for call in _NUMBERS:
        if (number := machine.number(call)) is not None:
            rule = _rule(call)
            yield (_EQUAL, 0, len(rule), number)
            yield from rule
    yield _give(ALLOW)


def program(machine: str) -> bytes:
    """The filter for `x86_64` or `aarch64`: instructions of 8 bytes. Raises `ValueError` for another one."""
    if machine not in MACHINES:
        raise ValueError(f"no filter of system calls for {machine}; there is one for {', '.join(MACHINES)}")
    return b"".join(_LAYOUT.pack(*one) for one in _instructions(MACHINES[machine]))


class _Program(ctypes.Structure):
    """What the kernel calls `sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _call(operation: int, flags: int, about: ctypes.Structure | ctypes.c_uint32) -> None:
    """The call `seccomp`, which libc does not offer. Raises `OSError`."""
    number = ctypes.c_long(MACHINES[platform.machine()].seccomp)
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(number, ctypes.c_uint(operation), ctypes.c_uint(flags), ctypes.byref(about))
    if result:  # a number above zero is a thread that could not be taken along
        failure = ctypes.get_errno() if result == -1 else errno.ESRCH
        raise OSError(failure, os.strerror(failure))


def supported() -> str:
    """Empty where `install` works, else why not."""
    machine = platform.machine()
    if machine not in MACHINES or sys.maxsize < 2**32 or sys.byteorder != "little":
        return f"there is no filter of system calls for this machine ({machine})"
    try:
        _call(_GET_ACTION_AVAILABLE, 0, ctypes.c_uint32(KILL))
    except OSError as error:
        return f"this kernel does not filter system calls: {error.strerror}"
    return ""


def install() -> None:
    """Refuse these calls from now on, in every thread and in all that it starts. Nothing takes that back.

    Programs gain no rights when executed from then on. Raises `OSError`, or `ValueError` for an unknown machine.
    """
    code = program(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc.prctl(ctypes.c_int(_PR_SET_NO_NEW_PRIVS), one, zero, zero, zero):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    _call(_SET_MODE_FILTER, _ALL_THREADS, _Program(len(code) // _SIZE, code))
