"""Greed: taking more than one's share, of each thing that there is. All of it stops by itself before long."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time

_held: list[socket.socket] = []


def fork_bomb(*, seconds: int) -> None:
    """Children that fork without end, in the background; an alarm ends each."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        while True:
            signal.alarm(seconds)
            try:
                os.fork()
            except OSError:
                continue


def spin(*, processes: int, seconds: float) -> None:
    """Use all the CPU time there is, in the background."""
    for _ in range(processes):
        if os.fork() == 0:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                pass
            os._exit(0)


def swallow(*, most: int) -> None:
    """Take memory, in a process in the background."""
    if os.fork() == 0:
        held = [bytearray(b"x") * (1 << 20) for _ in range(most >> 20)]
        time.sleep(0.001 * len(held))
        os._exit(0)


def filled(directory: str, *, most: int) -> tuple[int, str]:
    """How many bytes a file there can have, up to `most`, and what ends it."""
    done, body = 0, b"x" * (1 << 20)
    try:
        with open(os.path.join(directory, "filler"), "wb", buffering=0) as file:
            while done < most:
                done += file.write(body)
    except OSError as error:
        return done, errno.errorcode[error.errno or 0]
    return done, ""


def crowded(directory: str, *, most: int) -> tuple[int, str]:
    """How many empty files there can be there, up to `most`, and what ends it."""
    for number in range(most):
        try:
            os.mknod(os.path.join(directory, f"n{number}"))
        except OSError as error:
            return number, errno.errorcode[error.errno or 0]
    return most, ""


def descriptors(*, most: int) -> tuple[int, str]:
    """How many files a process can have open, up to `most`, and what ends it."""
    held: list[int] = []
    try:
        while len(held) < most:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return len(held), errno.errorcode[error.errno or 0]
    finally:
        for one in held:
            os.close(one)
    return most, ""


def unread(*, connections: int, each: int) -> int:
    """Send over loopback what nobody reads, and keep it; how many bytes the kernel took."""
    taken = 0
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        server.settimeout(2)
        for _ in range(connections):
            try:
                one = socket.create_connection(server.getsockname(), timeout=2)
                _held.extend((one, server.accept()[0]))
            except OSError:  # there is no memory for one more
                return taken
            one.setblocking(False)
            taken += _sent(one, each)
    return taken


def _sent(one: socket.socket, most: int) -> int:
    sent = 0
    try:
        while sent < most:
            sent += one.send(b"x" * 65536)
    except OSError:
        return sent
    return sent
