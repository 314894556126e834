"""What this process holds of a container from its start: the descriptors of its home and of its network.

A process id can be another's later, and a mount vanishes with the last process that sees it; what a descriptor stands
for does neither. To get them takes root, in the process namespace that the engine runs in.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from amalthea.model.errors import ProviderError
from amalthea.providers.docker.cgroup import belongs
from amalthea.providers.docker.recipe import HOME, PROXY_PORT

_CLONE_NEWNET = 0x40000000
_BACKLOG = 128
_PROXY = ("127.0.0.1", PROXY_PORT)
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_libc = ctypes.CDLL(None, use_errno=True)


class Foothold:
    """Descriptors of one container: `home`, a directory, and its network namespace."""

    def __init__(self, home: int, network: int) -> None:
        self.home = home
        self._network = network
        self._door: socket.socket | None = None

    @classmethod
    def take(cls, pid: int, container: str) -> Foothold | None:
        """Of the container whose first process has that id; None where the machine does not let us."""
        try:
            home, network = _directory(pid, HOME), -1
        except OSError:
            return None
        try:
            network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            _enter(network, lambda: None)
        except OSError:
            cls(home, network).close()
            return None
        held = cls(home, network)
        if belongs(pid, container):  # asked last: now all of it was this container's
            return held
        held.close()
        return None

    def close(self) -> None:
        """Let go: then the kernel frees what nobody else uses."""
        self.shut()
        if self._door is not None:
            self._door.close()
        for descriptor in (self.home, self._network):
            if descriptor >= 0:
                os.close(descriptor)
        self.home = self._network = -1

    def door(self, name: str) -> socket.socket:
        """A socket that listens inside the container's network, the same each time. Raises `ProviderError`."""
        if self._door is None or self._door.fileno() < 0:
            self._door = self._listening(name)
        return self._door

    def shut(self) -> None:
        """Wake whoever waits at the door: nobody will come."""
        if self._door is not None:
            with suppress(OSError):
                self._door.shutdown(socket.SHUT_RDWR)

    def _listening(self, name: str) -> socket.socket:
        made: list[socket.socket] = []
        try:
            _enter(self._network, lambda: made.append(socket.create_server(_PROXY, backlog=_BACKLOG)))
        except OSError as error:
            raise ProviderError(f"cannot listen in its network: {error.strerror}", where=name) from error
        made[0].setblocking(False)
        return made[0]


def _directory(pid: int, path: str) -> int:
    """A directory as that process sees it; no link on the way is followed."""
    reached = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in path.strip("/").split("/"):
        parent = reached
        try:
            reached = os.open(part, _STEP, dir_fd=parent)
        finally:
            os.close(parent)
    return reached


def _enter(network: int, act: Callable[[], object]) -> None:
    """Do something inside a network namespace, in a thread that ends with it. Raises what went wrong."""
    failed: list[OSError] = []

    def inside() -> None:
        try:
            if _libc.setns(ctypes.c_int(network), ctypes.c_int(_CLONE_NEWNET)) == -1:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            act()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=inside, daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
