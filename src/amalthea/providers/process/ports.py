"""Ports for a workload, kept for it as long as its keeper lives.

A port is held by a socket that is bound and never listens. Linux lets the workload's own socket share it, since
both set SO_REUSEADDR (every server here does), but gives it to nobody who asks for any free port: so two
workloads that start together never get the same one, and a program that restarts finds its port free.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Mapping

import psutil

from amalthea.model.errors import PortInUse, ProviderError
from amalthea.providers.process.observation import Sighting

LOOPBACK = "127.0.0.1"


def hold(port: int) -> socket.socket:
    """A socket that holds `port`, or any free one for 0. Raises `PortInUse`, `ProviderError`."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((LOOPBACK, port))
    except OSError as error:
        holder.close()
        raise _refusal(error, port) from error
    return holder


def _refusal(error: OSError, port: int) -> ProviderError:
    if error.errno == errno.EADDRINUSE:
        return in_use(port, _listener(port))
    if error.errno == errno.EACCES:
        return ProviderError(
            "this user may not listen on a port below 1024",
            where=f"port {port}",
            hint="Choose a higher port, or lower the sysctl net.ipv4.ip_unprivileged_port_start.",
        )
    return ProviderError(f"cannot use the port: {error.strerror}", where=f"port {port}")


def in_use(port: int, who: str) -> PortInUse:
    """The error that names who has a port."""
    return PortInUse(
        f"the port is in use by {who}",
        where=f"port {port}",
        hint="Stop that program, or choose another port in the fleet file.",
    )


def _listener(port: int) -> str:
    """Who listens there, as far as this user may know."""
    try:
        for one in psutil.net_connections("tcp"):
            if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN and one.pid:
                command = " ".join(psutil.Process(one.pid).cmdline())[:200]
                return f"process {one.pid} ({command})"
    except psutil.Error:
        return "another program"
    return "another program"


def check_free(ports: Mapping[str, int], others: Iterable[Sighting]) -> None:
    """Raise `PortInUse` for a port of another workload of this fleet, even while that is between two lives."""
    for one in others:
        for number in ports.values():
            if number and number in one.identity.ports.values():
                raise in_use(number, f"{one.identity.key} of {one.identity.site} (process {one.pid})")
