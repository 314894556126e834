"""What a filter of system calls decides, by running its instructions as the kernel would: just those it uses."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

_INSTRUCTION = struct.Struct("<HBBI")
_CALL = struct.Struct("<IIQ6Q")


_COMPARISONS: Mapping[int, Callable[[int, int], bool]] = {
    0x15: lambda held, constant: held == constant,
    0x25: lambda held, constant: held > constant,
    0x45: lambda held, constant: bool(held & constant),
}


def decide(program: bytes, number: int, *arguments: int, architecture: int) -> int:
    """What the filter returns for a call; raises `ValueError` for a program that the kernel would not take."""
    about = _CALL.pack(number, architecture, 0, *(arguments + (0,) * (6 - len(arguments))))
    steps = list(_INSTRUCTION.iter_unpack(program))
    held, at = 0, 0
    while at < len(steps):
        code, yes, no, constant = steps[at]
        at += 1
        if code == 0x20:
            (held,) = struct.unpack_from("<I", about, constant)
        elif code == 0x54:
            held &= constant
        elif code in _COMPARISONS:
            at += yes if _COMPARISONS[code](held, constant) else no
        elif code == 0x06:
            return int(constant)
        else:
            raise ValueError(f"no such instruction: {code:#x}")
    raise ValueError("it runs past its end")
